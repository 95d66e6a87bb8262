/** A table of many hosts and Envoys of two builds that come, answer and go when they like, over real sessions. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Resource } from '../xds/resource.ts'
import type { Client } from '../xds/session/client.ts'
import { Hub } from '../xds/session/hub.ts'
import { snapshot } from '../xds/session/script.ts'
import { SharedTable } from './shared-table.ts'
import { contents, entry, hosts, needsOf, unavailable } from './shared-table-script.ts'

const name = 'ingress_http'
const tool = ''

/** Of a host with a certificate. */
const other = { name: 'https/host', version: 'held' }

class Member {
  readonly build: string
  client: Client | undefined
  /** With a stream for each thing that table has one of its own. */
  beside: Client | undefined
  holds: Resource | undefined

  constructor(build: string) {
    this.build = build
  }

  readonly takes = (content: string): boolean =>
    this.build === tool || (content !== 'bad' && content !== `bad for ${this.build}`)

  readonly takesAll = (table: Resource): boolean =>
    Object.values(contents(table)).every((content) => this.takes(content))
}

class Fleet {
  readonly members = [new Member('1'), new Member('1'), new Member('2'), new Member(tool)] as const
  readonly #table = new SharedTable(name, 'http', true)
  readonly #hub = new Hub({
    onRefused: (refused) => {
      if (!refused.heldElsewhere) this.#table.refused(refused)
    },
    onCleared: () => {},
    onTable: (table) => {
      if (table.name === name) this.#table.taken(table)
    },
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
    member.beside = this.#connect(member, other)
    member.client = this.#connect(member, { name, version: member.holds?.version })
    this.#publish()
  }

  #connect({ build }: Member, has: { readonly name: string; readonly version: string | undefined }): Client {
    const client = this.#hub.connect({ id: 'node', build })
    const initialVersions = new Map(has.version === undefined ? [] : [[has.name, has.version]])
    client.request('routes', { subscribe: [has.name], unsubscribe: [], initialVersions })
    this.#hub.began(client, 'routes')
    return client
  }

  /**
   * @param forgets it is another process that comes next
   * @param lost its last answer: it may have taken what was sent
   * @param soon it may be back
   */
  leave(member: Member, { forgets = false, lost = false, soon = false }): void {
    const { client, beside } = member
    if (client === undefined || beside === undefined) return
    const [table] = client.subscriptions.routes.flight?.resources ?? []
    if (lost && table !== undefined && member.takesAll(table)) member.holds = table
    for (const one of [beside, client]) this.#hub.disconnect(one)
    member.client = undefined
    if (forgets) member.holds = undefined
    if (!soon) this.#hub.left(member.build)
    this.#publish()
  }

  /** Neither it nor another of its build comes back. */
  end(member: Member): void {
    this.leave(member, { forgets: true })
    this.#hub.left(member.build)
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
    const isGood = member.takesAll(table)
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
  const member = fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const)
  const yes = fc.boolean()
  const act = fc.oneof(
    { weight: 4, arbitrary: change },
    { weight: 6, arbitrary: fc.record({ answers: member }) },
    { weight: 1, arbitrary: fc.record({ comes: member }) },
    { weight: 1, arbitrary: fc.record({ leaves: member, forgets: yes, lost: yes, soon: yes }) },
  )
  const acts = fc.array(act, { maxLength: 60, size: 'max' })
  fc.assert(
    fc.property(acts, fc.constantFrom('1', '2'), (all, stays) => {
      const fleet = new Fleet()
      const of = (index: 0 | 1 | 2 | 3) => fleet.members[index]
      const wanted = new Map<string, string | undefined>()
      for (const one of all) {
        if ('answers' in one) fleet.answer(of(one.answers))
        else if ('comes' in one) fleet.come(of(one.comes))
        else if ('leaves' in one) fleet.leave(of(one.leaves), one)
        else {
          fleet.set(one.host, one.content)
          wanted.set(one.host, one.content)
        }
      }
      fleet.rest()
      for (const one of fleet.members) if (one.build !== stays && one.build !== tool) fleet.end(one)
      fleet.rest()
      for (const { build, holds, takes } of fleet.present) {
        if (build === tool) continue
        const held = holds === undefined ? {} : contents(holds)
        for (const host of hosts) {
          const want = wanted.get(host)
          const instead: unknown = expect.stringMatching(/^good|^status 503|^bad for/)
          expect(held[host]).toEqual(want === undefined || takes(want) ? want : instead)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('a search goes on with what an Envoy took in the last moment of its former stream', () => {
  const fleet = new Fleet()
  const [envoy] = fleet.members
  fleet.set('a', 'good')
  fleet.set('b', 'bad')
  fleet.come(envoy)
  for (let steps = 0; steps < 3; steps++) fleet.answer(envoy)
  fleet.leave(envoy, { lost: true })
  expect(envoy.holds && contents(envoy.holds)).toEqual({ a: 'good' })
  fleet.come(envoy)
  fleet.rest()
  expect(envoy.holds && contents(envoy.holds)).toEqual({ a: 'good', b: unavailable })
})

test('an Envoy that is restarted beside others of another build has all but what its build refuses', () => {
  const fleet = new Fleet()
  const [envoy, , another] = fleet.members
  fleet.set('a', 'good')
  fleet.set('b', 'good')
  for (const one of [envoy, another]) fleet.come(one)
  fleet.rest()
  fleet.set('a', 'bad for 1')
  fleet.rest()
  fleet.leave(envoy, { forgets: true, soon: true })
  fleet.rest()
  fleet.come(envoy)
  fleet.rest()
  for (const { holds } of fleet.present) expect(holds && contents(holds)).toEqual({ a: 'good', b: 'good' })
})

test('one that starts and refuses before others of its build takes nothing from what they came with', () => {
  const [before, fleet] = [new Fleet(), new Fleet()]
  before.come(before.members[0])
  before.set('a', 'good')
  before.set('b', 'good')
  before.rest()
  const [envoy, fresh] = fleet.members
  envoy.holds = before.members[0].holds
  fleet.come(envoy)
  fleet.set('a', 'good')
  fleet.set('b', 'good')
  fleet.answer(envoy)
  fleet.set('a', 'bad')
  fleet.come(fresh)
  for (let steps = 0; steps < 2; steps++) fleet.answer(fresh)
  fleet.rest()
  expect(fresh.holds && contents(fresh.holds)).toEqual({ a: 'good', b: 'good' })
})
