import { expect, test } from 'vitest'
import { asksForAttributes, readRouteAttributes } from './route-attributes.ts'

const read = (annotations: Record<string, string>) =>
  readRouteAttributes(annotations, new Map([['customer', { kind: 'standard', value: 0xfde80007 }]]))

test('communities by value and by alias, MED and prepending', () => {
  expect(
    read({
      'metallb.io/bgp-communities': '65000:100, large:65000:1:2,customer,65000:100',
      'metallb.io/bgp-med': '0',
      'metallb.io/bgp-as-path-prepend': '16',
    }),
  ).toEqual({
    communities: [
      { kind: 'standard', value: 0xfde80064 },
      { kind: 'large', value: [65000, 1, 2] },
      { kind: 'standard', value: 0xfde80007 },
    ],
    med: 0,
    prepend: 16,
    problems: [],
  })
})

test.each([
  ['metallb.io/bgp-med', '-1', '"-1" is no number from 0 to 4294967295'],
  ['metallb.io/bgp-med', '4294967296', '"4294967296" is no number from 0 to 4294967295'],
  ['metallb.io/bgp-med', '', '"" is no number from 0 to 4294967295'],
  ['metallb.io/bgp-as-path-prepend', '0', '"0" is no number from 1 to 16'],
  ['metallb.io/bgp-as-path-prepend', '17', '"17" is no number from 1 to 16'],
  [
    'metallb.io/bgp-communities',
    '65000:1,nobody,1:65536',
    '"nobody", "1:65536": no community, nor an alias that a Community object defines',
  ],
  [
    'metallb.io/bgp-communities',
    Array.from({ length: 64 }, (_, i) => `1:${i}`).join(),
    'more than 63 communities',
  ],
])('%s: %s is refused alone', (name, text, problem) => {
  const other = name === 'metallb.io/bgp-med' ? 'metallb.io/bgp-as-path-prepend' : 'metallb.io/bgp-med'
  const { problems, ...values } = read({ [other]: '7', [name]: text })
  expect(problems).toEqual([`${name}: ${problem}`])
  expect(
    Object.values(values)
      .flat()
      .filter((value) => value !== undefined),
  ).toEqual([7])
})

test('a Service without such annotations asks for nothing', () => {
  expect(asksForAttributes({ 'metallb.io/address-pool': 'a' })).toBe(false)
  expect(read({})).toMatchObject({ communities: [], problems: [] })
})
