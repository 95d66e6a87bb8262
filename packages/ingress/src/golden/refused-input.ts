/** For tests: an input that the API server takes and Envoy would refuse, and how such are written. */

export interface RefusedInput {
  readonly name: string
  /** What holds the value, without the objects that are there in any case. */
  readonly objects: (value: string) => readonly object[]
  readonly good: string
  readonly bad: string
  /** On `web/bad`: its type and reason. */
  readonly problem: readonly [string, string]
  /** HTTPProxy unless said otherwise. */
  readonly kind?: 'extensionService' | 'ingress'
  /** What stands for the values in Envoy's JSON, good and bad; the values themselves otherwise. */
  readonly written?: readonly (readonly [string, string])[]
}

export type Fields = Readonly<Record<string, unknown>>
export const metadata = { name: 'bad', namespace: 'web' }
export const shop = { name: 'shop', port: 80 }

export function proxy(spec: Fields, virtualhost: Fields = {}): object {
  return { kind: 'HTTPProxy', metadata, spec: { virtualhost: { fqdn: 'bad.test', ...virtualhost }, ...spec } }
}

/** With one route to a Service that is there, and these fields. */
export function route(fields: Fields, service: Fields = {}): readonly object[] {
  return [proxy({ routes: [{ services: [{ ...shop, ...service }], ...fields }] })]
}

export function host(virtualhost: Fields): readonly object[] {
  return [proxy({ routes: [{ services: [shop] }] }, virtualhost)]
}

/** A host that ends TLS. */
export function secure(virtualhost: Fields): readonly object[] {
  return host({ tls: { secretName: 'pair' }, ...virtualhost })
}

export function secret(name: string, stringData: Readonly<Record<string, string>>): object {
  return { kind: 'Secret', metadata: { name, namespace: 'web' }, type: 'Opaque', stringData }
}

export function extension(spec: Fields): readonly object[] {
  return [{ kind: 'ExtensionService', metadata, spec: { services: [shop], protocol: 'h2c', ...spec } }]
}

export const quoted = (value: string) => JSON.stringify(value).slice(1, -1)
export const base64 = (text: string) => Buffer.from(text).toString('base64')
export const inBase64 = (good: string, bad: string) => [[base64(good), base64(bad)]] as const
export const header = (value: string) => ({ set: [{ name: 'x-a', value }] })
export const match = (value: Fields) => ({ conditions: [{ header: { name: 'x-a', ...value } }] })

/** Below the longest that Envoy takes of each, and above. */
export const long = (length: number) => 'v'.repeat(length)
