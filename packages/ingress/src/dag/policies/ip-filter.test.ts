import { expect, test } from 'vitest'
import { readIPFilter } from './ip-filter.ts'

const read = (cidr: string) => readIPFilter('spec', { ipAllowPolicy: [{ source: 'Peer', cidr }] })

test.each([
  ['10.0.0.1', '10.0.0.1', 32],
  ['10.1.2.3/8', '10.0.0.0', 8],
  ['2001:db8::1', '2001:db8::1', 128],
  ['::/0', '::', 0],
  ['::ffff:10.0.0.1', '10.0.0.1', 32],
  ['::ffff:a01:203/104', '10.0.0.0', 8],
  ['::ffff:0:0/96', '0.0.0.0', 0],
])('%s is the range %s/%i', (cidr, address, length) => {
  const rules = [{ source: 'peer', address, length }]
  expect(read(cidr)).toEqual({ ok: true, value: { kind: 'allow', rules } })
})

test.each([
  ['::ffff:10.0.0.1/95', 'is IPv4-mapped and shorter than /96'],
  ['::ffff:10.0.0.1/129', 'is neither an address nor a prefix'],
  ['10.0.0.1/8/8', 'is neither an address nor a prefix'],
  ['10.0.0.1/', 'is neither an address nor a prefix'],
  ['', 'is neither an address nor a prefix'],
])('"%s" is refused', (cidr, reason) => {
  const message = `spec.ipAllowPolicy[0].cidr: "${cidr}" ${reason}`
  expect(read(cidr)).toMatchObject({ ok: false, problems: [{ reason: 'InvalidCIDR', message }, {}] })
})
