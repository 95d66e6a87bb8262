import { expect, test } from 'vitest'
import { unreadTexts } from './unread.ts'

const object = 'ConfigMap metallb-system/bgpextras'
const said = (text: string) => unreadTexts({ extras: { object, text }, configurations: [], addressPools: [] })

test('what is there is named, with what says the same', () => {
  const text = `! ours
router bgp 64512
 neighbor 192.0.2.1 ttl-security hops 1
 neighbor 192.0.2.1 timers connect 5
 neighbor 192.0.2.2 timers connect 5
route-map out permit 10
 set metric 50
`
  expect(said(text)).toEqual([
    `${object} is not read, as there is no FRR: use the annotation metallb.io/ttl-security of a BGPPeer; ` +
      'spec.connectTime of a BGPPeer; the annotation metallb.io/bgp-med of a Service',
  ])
  expect(said('ip prefix-list in permit any')).toEqual([
    `${object} is not read, as there is no FRR: docs/bgp.md names what there is instead`,
  ])
})

test('FRRConfiguration objects by name, the first of many', () => {
  const configurations = ['a/6', 'a/1', 'a/2', 'a/3', 'a/4', 'a/5']
  expect(unreadTexts({ extras: undefined, configurations, addressPools: [] })).toEqual([
    'FRRConfiguration a/1, a/2, a/3, a/4 and 2 more: not read, as there is no FRR; use BGPPeer and BGPAdvertisement objects',
  ])
})

test('AddressPool objects by name', () => {
  expect(unreadTexts({ extras: undefined, configurations: [], addressPools: ['a/b', 'a/a'] })).toEqual([
    'AddressPool a/a, a/b: not read; landfall migrate prints the IPAddressPools and advertisements that say the same',
  ])
})

test('nothing is said of nothing', () => {
  expect(said(' \n')).toEqual([])
  expect(unreadTexts({ extras: undefined, configurations: [], addressPools: [] })).toEqual([])
})
