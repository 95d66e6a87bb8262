import { expect, test } from 'vitest'
import { readRequest } from './request.ts'
import { configOf, pool, type ServiceChoices, service } from './testing.ts'
import { Waiting } from './waiting.ts'

const config = configOf(pool('p', ['10.0.0.0/30']))
const ip = (last: number) => ({ family: 4, value: 0x0a000000n + BigInt(last) }) as const
const request = (name: string, choices: ServiceChoices = {}) => readRequest(service(name, choices))
const asks = (ips: string) => ({ annotations: { 'metallb.io/loadBalancerIPs': ips } })

function waitingOf(...requests: readonly ReturnType<typeof request>[]): Waiting {
  const waiting = new Waiting()
  for (const one of requests) waiting.set(one, [], config)
  return waiting
}

/** Whose turn it is when each of these gets something, and nobody else. */
function turns(waiting: Waiting, served: readonly string[], freed = [ip(0)]): readonly string[] {
  const names: string[] = []
  const all = waiting.turnsFor(freed)
  for (let next = all.next(); next !== undefined; next = all.next()) {
    const name = next.key.replace('default/', '')
    names.push(name)
    if (served.includes(name)) waiting.delete(next.key)
  }
  return names
}

test('of those that are alike only the oldest has a turn, until it gets something', () => {
  const many = Array.from({ length: 1000 }, (_, index) => request(`s${String(index).padStart(4, '0')}`))
  expect(turns(waitingOf(...many.toReversed()), ['s0000', 's0001'])).toEqual(['s0000', 's0001', 's0002'])
})

test('labels of their own do not make them different where no pool asks for them', () => {
  const many = ['a', 'b', 'c'].map((name) => request(name, { labels: { app: name } }))
  expect(turns(waitingOf(...many), [])).toEqual(['a'])
})

test('kinds of wishes take turns by age', () => {
  const share = { annotations: { 'metallb.io/allow-shared-ip': 'k' } }
  const waiting = waitingOf(request('d', share), request('c'), request('b', share), request('a'))
  expect(turns(waiting, ['a', 'b', 'c', 'd'])).toEqual(['a', 'b', 'c', 'd'])
})

test('who asks for an address has a turn only when it comes free', () => {
  const requests = [request('a', asks('10.0.0.1')), request('b', asks('10.0.0.2')), request('c')]
  expect(turns(waitingOf(...requests), [], [ip(1)])).toEqual(['a', 'c'])
  expect(turns(waitingOf(...requests), [], [ip(2)])).toEqual(['b', 'c'])
})

test('nobody younger than the one given has a turn before it', () => {
  const all = waitingOf(request('a'), request('c', asks('10.0.0.0'))).turnsFor([ip(0)])
  expect(all.next(request('b'))?.key).toBe('default/a')
  expect(all.next(request('b'))).toBeUndefined()
  expect(all.next()?.key).toBe('default/c')
})

test('who changes its wish leaves nothing behind', () => {
  const waiting = waitingOf(request('a', asks('10.0.0.1')))
  waiting.set(request('a', asks('10.0.0.2')), [], config)
  expect(turns(waiting, [], [ip(1)])).toEqual([])
  waiting.delete('default/a')
  expect([...waiting.keys()]).toEqual([])
  expect(turns(waiting, [], [ip(2)])).toEqual([])
})
