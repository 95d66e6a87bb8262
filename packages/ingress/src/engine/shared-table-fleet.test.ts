/** A table of many hosts and Envoys of two builds that come, answer and go when they like, over real sessions. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Resource } from '../xds/resource.ts'
import type { Client } from '../xds/session/client.ts'
import { Hub } from '../xds/session/hub.ts'
import { snapshot } from '../xds/session/script.ts'
import { SharedTable } from './shared-table.ts'
import { contents, entry, hosts, needsOf } from './shared-table-script.ts'

const name = 'ingress_http'

class Member {
  readonly build: string
  client: Client | undefined
  holds: Resource | undefined

  constructor(build: string) {
    this.build = build
  }

  readonly takes = (content: string): boolean => content !== 'bad' && content !== `bad for ${this.build}`
}

class Fleet {
  readonly members = [new Member('1'), new Member('1'), new Member('2')] as const
  readonly #table = new SharedTable(name, 'http', true)
  readonly #hub = new Hub({
    onRefused: (refused) => {
      if (!refused.heldElsewhere) this.#table.refused(refused)
    },
    onCleared: () => {},
    onTable: (table) => void this.#table.taken(table),
  })

  constructor() {
    const served = this.#table.take()
    this.#hub.publish(snapshot({ routes: served === undefined ? [] : [served.table] }))
  }

  get present(): readonly Member[] {
    return this.members.filter(({ client }) => client !== undefined)
  }

  set(host: string, content: string | undefined): void {
    this.#table.set(host, content === undefined ? undefined : entry(host, content), needsOf(content))
    this.#publish()
  }

  come(member: Member): void {
    if (member.client !== undefined) return
    member.client = this.#hub.connect({ id: String(this.members.indexOf(member)), build: member.build })
    const has = member.holds === undefined ? [] : [[name, member.holds.version] as const]
    member.client.request('routes', { subscribe: [name], unsubscribe: [], initialVersions: new Map(has) })
  }

  /** @param forgets it is another process that comes next */
  leave(member: Member, forgets: boolean): void {
    if (member.client === undefined) return
    this.#hub.disconnect(member.client)
    member.client = undefined
    if (forgets) member.holds = undefined
    this.#publish()
  }

  /** Takes what is sent, or answers it. @returns whether there was anything to do */
  answer(member: Member): boolean {
    const { client } = member
    if (client === undefined) return false
    const { flight } = client.subscriptions.routes
    if (flight === undefined) return client.next(0).length > 0
    const [table] = flight.resources
    if (table === undefined) throw new Error('the table is gone')
    const isGood = Object.values(contents(table)).every((content) => member.takes(content))
    if (isGood) member.holds = table
    this.#hub.settle(client, 'routes', flight.nonce, isGood ? undefined : 'no')
    this.#publish()
    return true
  }

  rest(): void {
    for (let steps = 0; this.members.filter((one) => this.answer(one)).length > 0; steps++)
      if (steps > 500) throw new Error('they do not come to rest')
  }

  #publish(): void {
    const served = this.#table.take()
    if (served !== undefined) this.#hub.apply({ routes: new Map([[name, served.table]]) })
  }
}

test('whenever Envoys come, answer and go, those of the build that stays have in the end what they take, and else what was good', () => {
  const content = fc.constantFrom(undefined, 'good 1', 'good 2', 'bad for 1', 'bad for 2', 'bad')
  const change = fc.record({ host: fc.constantFrom(...hosts), content })
  const member = fc.constantFrom(0 as const, 1 as const, 2 as const)
  const act = fc.oneof(
    { weight: 4, arbitrary: change },
    { weight: 6, arbitrary: fc.record({ answers: member }) },
    { weight: 1, arbitrary: fc.record({ comes: member }) },
    { weight: 1, arbitrary: fc.record({ leaves: member, forgets: fc.boolean() }) },
  )
  const acts = fc.array(act, { maxLength: 60, size: 'max' })
  fc.assert(
    fc.property(acts, fc.constantFrom('1', '2'), (all, stays) => {
      const fleet = new Fleet()
      const of = (index: 0 | 1 | 2) => fleet.members[index]
      const wanted = new Map<string, string | undefined>()
      for (const one of all) {
        if ('answers' in one) fleet.answer(of(one.answers))
        else if ('comes' in one) fleet.come(of(one.comes))
        else if ('leaves' in one) fleet.leave(of(one.leaves), one.forgets)
        else {
          fleet.set(one.host, one.content)
          wanted.set(one.host, one.content)
        }
      }
      fleet.rest()
      for (const one of fleet.members) if (one.build !== stays) fleet.leave(one, true)
      fleet.rest()
      for (const { holds, takes } of fleet.present) {
        const held = holds === undefined ? {} : contents(holds)
        for (const host of hosts) {
          const want = wanted.get(host)
          const other: unknown = expect.stringMatching(/^good|^status 503|^bad for/)
          expect(held[host]).toEqual(want === undefined || takes(want) ? want : other)
        }
      }
    }),
    { numRuns: 500 },
  )
})
