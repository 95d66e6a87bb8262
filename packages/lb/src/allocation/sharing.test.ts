import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { answers, configOf, pool, type ServiceChoices, service } from './testing.ts'

const shares = (key: string) => ({ 'metallb.io/allow-shared-ip': key })
const asks = (key: string, ip = '10.0.0.0') => ({
  annotations: { ...shares(key), 'metallb.io/loadBalancerIPs': ip },
})
const config = configOf(pool('p', ['10.0.0.0/30']))

test.each<[string, ServiceChoices, ServiceChoices, string]>([
  ['same key, other port', asks('k'), { ...asks('k'), ports: ['TCP/443'] }, '10.0.0.0'],
  ['same key, same number, other protocol', asks('k'), { ...asks('k'), ports: ['UDP/80'] }, '10.0.0.0'],
  ['same key, same port', asks('k'), asks('k'), 'AddressInUse'],
  [
    'one port of two in common',
    { ...asks('k'), ports: ['TCP/1', 'TCP/2'] },
    { ...asks('k'), ports: ['TCP/2', 'TCP/3'] },
    'AddressInUse',
  ],
  ['other key', asks('k'), { ...asks('l'), ports: ['TCP/443'] }, 'AddressInUse'],
  ['no key', asks(''), { ...asks(''), ports: ['TCP/443'] }, 'AddressInUse'],
  [
    'Local, same pods',
    { ...asks('k'), local: { a: 'b', c: 'd' } },
    { ...asks('k'), local: { c: 'd', a: 'b' }, ports: ['TCP/443'] },
    '10.0.0.0',
  ],
  [
    'Local, other pods',
    { ...asks('k'), local: { a: 'b' } },
    { ...asks('k'), local: { a: 'c' }, ports: ['TCP/443'] },
    'AddressInUse',
  ],
  [
    'Local and Cluster',
    { ...asks('k'), local: { a: 'b' } },
    { ...asks('k'), ports: ['TCP/443'] },
    'AddressInUse',
  ],
  [
    'Local without selector and Cluster',
    { ...asks('k'), local: {} },
    { ...asks('k'), ports: ['TCP/443'] },
    '10.0.0.0',
  ],
  [
    'other namespaces',
    { ...asks('k'), namespace: 'other' },
    { ...asks('k'), ports: ['TCP/443'] },
    '10.0.0.0',
  ],
])('the second Service on one address: %s: %s', (_, first, second, expected) => {
  const allocator = new Allocator()
  allocator.apply({ config, changed: [service('first', first)], gone: [] })
  expect(answers(allocator.apply({ changed: [service('second', second)], gone: [] }))['second']).toBe(
    expected,
  )
})

test('who shares takes the lowest address that it may have, free or shared', () => {
  const allocator = new Allocator()
  const port = (n: number) => ({ annotations: shares('k'), ports: [`TCP/${n}`] })
  const changed = [service('a'), service('b', port(1)), service('c', port(2)), service('d', port(1))]
  expect(answers(allocator.apply({ config, changed, gone: [] }))).toEqual({
    a: '10.0.0.0',
    b: '10.0.0.1',
    c: '10.0.0.1',
    d: '10.0.0.2',
  })
})

test('a sole user changes its terms in place; with others on the address it has to leave', () => {
  const allocator = new Allocator()
  const port = (n: number) => ({ ...asks('k'), ports: [`TCP/${n}`] })
  allocator.apply({ config, changed: [service('a', port(1))], gone: [] })
  expect(answers(allocator.apply({ changed: [service('a', asks('l'))], gone: [] }))['a']).toBe('10.0.0.0')
  allocator.apply({ changed: [service('a', port(1)), service('b', port(2))], gone: [] })
  const change = allocator.apply({ changed: [service('b', { ports: ['TCP/2'] })], gone: [] })
  expect(answers(change)).toEqual({ b: '10.0.0.1' })
})

test('a port clash that goes away lets the one that waits in', () => {
  const allocator = new Allocator()
  const first = allocator.apply({
    config,
    changed: [service('a', asks('k')), service('b', asks('k'))],
    gone: [],
  })
  expect(answers(first)).toEqual({ a: '10.0.0.0', b: 'AddressInUse' })
  const after = allocator.apply({ changed: [service('a', { ...asks('k'), ports: ['TCP/81'] })], gone: [] })
  expect(answers(after)).toEqual({ a: '10.0.0.0', b: '10.0.0.0' })
})

test('two that change their terms together are judged by the new terms of both', () => {
  const allocator = new Allocator()
  const on = (ports: string[]) => ({ ...asks('k'), ports })
  allocator.apply({ config, changed: [service('a', on(['TCP/1'])), service('b', on(['TCP/2']))], gone: [] })
  const swapped = [service('a', on(['TCP/2'])), service('b', on(['TCP/1']))]
  expect(answers(allocator.apply({ changed: swapped, gone: [] }))).toEqual({ a: '10.0.0.0', b: '10.0.0.0' })
})
