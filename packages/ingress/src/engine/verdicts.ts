/**
 * What became of each object: the outcomes of all hosts that spoke of it, put together. An HTTPProxy that is no
 * root and that no root reached is an orphan.
 */
import type { Key } from '@landfall/kube/model'
import type { Outcome } from '../dag/outcome.ts'
import type { Problem } from '../dag/problem.ts'
import type { Unit } from './units.ts'

export interface Verdict {
  /** Some host reached the object. */
  readonly reached: boolean
  /** Each once, in the order of the hosts' names. */
  readonly problems: readonly Problem[]
}

type Kind = Outcome['kind']

/** Who says something about objects; `host` orders what is said. */
type Speaker = Pick<Unit, 'host' | 'outcomes'>

export class Verdicts {
  readonly #outcomes: Readonly<Record<Kind, Map<Key, Map<string, readonly Problem[]>>>> = {
    httpProxy: new Map(),
    ingress: new Map(),
    extensionService: new Map(),
  }

  /** Answers the objects whose verdict may have changed. */
  replace(before: Speaker | undefined, after: Speaker | undefined): ReadonlySet<string> {
    for (const { kind, key } of before?.outcomes ?? []) {
      const hosts = this.#outcomes[kind].get(key)
      hosts?.delete(before?.host ?? '')
      if (hosts?.size === 0) this.#outcomes[kind].delete(key)
    }
    for (const { kind, key, problems } of after?.outcomes ?? []) {
      const hosts = this.#outcomes[kind].get(key) ?? new Map<string, readonly Problem[]>()
      hosts.set(after?.host ?? '', problems)
      this.#outcomes[kind].set(key, hosts)
    }
    const both = [...(before?.outcomes ?? []), ...(after?.outcomes ?? [])]
    return new Set(both.map(({ kind, key }) => `${kind}:${key}`))
  }

  of(kind: Kind, key: Key): Verdict {
    const hosts = this.#outcomes[kind].get(key)
    if (hosts === undefined) return { reached: false, problems: [] }
    const inOrder = [...hosts].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, problems]) => problems)
    const distinct = new Map(inOrder.map((problem) => [JSON.stringify(problem), problem]))
    return { reached: true, problems: [...distinct.values()] }
  }
}
