/** A URL as a client asks for it → the request as Envoy sees it when it looks for a route. */

export interface Request {
  readonly scheme: 'http' | 'https'
  /** As in the handshake and in `:authority`: lower case, without port and trailing dot; an IPv6 address in brackets. */
  readonly host: string
  /** It names no host in the handshake. */
  readonly isAddress: boolean
  readonly method: string
  /** Normalized, without the query. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Names in lower case; values of one name joined by commas. `:method`, `:authority`, `:path` and `:scheme` are among them. */
  readonly headers: ReadonlyMap<string, string>
}

export interface Asked {
  readonly scheme: 'http' | 'https'
  /** Without port. */
  readonly host: string
  /** Of the URL, when it is written there. */
  readonly port: string
  readonly isAddress: boolean
  /** Percent-encoded, dots resolved, beginning with `/`. */
  readonly path: string
  /** Without `?`. */
  readonly query: string
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export function requestOf(asked: Asked, { mergeSlashes }: { readonly mergeSlashes: boolean }): Request {
  const { scheme, method } = asked
  const host = asked.host.toLowerCase().replace(/\.$/, '')
  const plain = asked.path.replaceAll(/%[0-9a-f]{2}/gi, decodedUnreserved)
  const path = mergeSlashes ? plain.replace(/\/{2,}/g, '/') : plain
  const authority = asked.port === '' ? asked.host : `${asked.host}:${asked.port}`
  const whole = asked.query === '' ? path : `${path}?${asked.query}`
  const headers = new Map<string, string>()
  for (const [name, value] of asked.headers) {
    const key = name.toLowerCase()
    const before = headers.get(key)
    headers.set(key, before === undefined ? value : `${before},${value}`)
  }
  const pseudo = { ':method': method, ':authority': headers.get('host') ?? authority, ':path': whole }
  for (const [name, value] of Object.entries({ ...pseudo, ':scheme': scheme })) headers.set(name, value)
  headers.delete('host')
  return { scheme, host, isAddress: asked.isAddress, method, path, query: parametersOf(asked.query), headers }
}

/** Letters, digits and `-._~` are the same path encoded or not (RFC 3986 §6.2.2.2); all else stays as it is. */
function decodedUnreserved(text: string): string {
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16))
  return /[\w.~-]/.test(character) ? character : text
}

/** As Envoy splits them: nothing is decoded. */
function parametersOf(query: string): Request['query'] {
  if (query === '') return []
  return query.split('&').map((part) => {
    const at = part.indexOf('=')
    return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
  })
}
