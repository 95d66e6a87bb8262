/** What is asked for: a URL, how it is asked, and where its name leads. */
import type { Asked } from '@landfall/ingress/routing'

export interface Target extends Asked {
  readonly url: string
  /** The name or address in the URL itself, without brackets. */
  readonly authority: string
  readonly authorityIsAddress: boolean
  /** Of the connection; the scheme's own unless the URL has one. */
  readonly toPort: number
  /** Addresses that the connection may go to: told, written in the URL, or found in the DNS. */
  readonly addresses: Addresses
}

export type Addresses =
  | { readonly kind: 'told' | 'written' | 'resolved'; readonly all: readonly string[] }
  /** The name leads nowhere from here. */
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'notAsked' }

/** @returns a sentence where it is no URL that could be traced */
export function readTarget(
  text: string,
  asked: Pick<Asked, 'method' | 'headers'>,
): Omit<Target, 'addresses'> | string {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(whole)) return `"${text}" is no URL, such as https://shop.example.com/cart`
  const url = new URL(whole)
  const { protocol, hostname, port, pathname, search } = url
  if (protocol !== 'http:' && protocol !== 'https:') return `only http and https are traced, not ${protocol}`
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const { host, hostPort } = namedIn(asked.headers) ?? { host: hostname, hostPort: port }
  return {
    url: url.href,
    scheme,
    host,
    port: hostPort,
    isAddress: isAddress(scheme === 'https' ? hostname : host),
    path: pathname,
    query: search.slice(1),
    method: asked.method,
    headers: asked.headers,
    authority: bareAddress(hostname),
    authorityIsAddress: isAddress(hostname),
    toPort: port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
  }
}

/** A header `Host` goes before the name in the URL, as with curl. */
function namedIn(
  headers: Asked['headers'],
): { readonly host: string; readonly hostPort: string } | undefined {
  const given = headers.find(([name]) => name.toLowerCase() === 'host')?.[1]
  if (given === undefined) return undefined
  const [, host = given, hostPort = ''] = /^(.*?)(?::(\d+))?$/.exec(given) ?? []
  return { host, hostPort }
}

export function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.startsWith('[')
}

/** Without the brackets that a URL puts around IPv6. */
export function bareAddress(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
