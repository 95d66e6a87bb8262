/** Secrets that are replaced, and how long it takes from the answer of the API server until what is new holds. */
import type { RawObject } from '@landfall/kube'
import { namespace } from '../../ingress/objects.ts'
import type { IngressSite } from '../../ingress/site.ts'
import type { Pair } from '../../scenarios/certificate.ts'

/** Longer than any of it may take. */
export const mostMs = 30_000

export const secrets = { pair: 'pair', authorities: 'authorities', list: 'list' } as const

export function pairData({ cert, key }: Pair) {
  return { 'tls.crt': cert, 'tls.key': key }
}

export function put(
  site: IngressSite,
  how: 'create' | 'replace',
  name: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  const metadata = { namespace, name }
  const object: RawObject = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData }
  return site.objects[how]('secret', object)
}

export async function since(act: () => Promise<void>, holds: () => Promise<void>): Promise<number> {
  await act()
  const answered = performance.now()
  await holds()
  return performance.now() - answered
}

/** What the authorities of clients took back: one list of each authority. */
export class RevocationLists {
  readonly #site: IngressSite
  #ofOwn: string
  #ofSecond = ''

  static async create(site: IngressSite, ofOwn: string): Promise<RevocationLists> {
    await put(site, 'create', secrets.list, { 'crl.pem': ofOwn })
    return new RevocationLists(site, ofOwn)
  }

  private constructor(site: IngressSite, ofOwn: string) {
    this.#site = site
    this.#ofOwn = ofOwn
  }

  /** What is not named stays. */
  async put({ ofOwn = this.#ofOwn, ofSecond = this.#ofSecond }): Promise<void> {
    this.#ofOwn = ofOwn
    this.#ofSecond = ofSecond
    await put(this.#site, 'replace', secrets.list, { 'crl.pem': `${ofOwn}\n${ofSecond}` })
  }
}
