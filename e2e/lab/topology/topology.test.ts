import { expect, test } from 'vitest'
import { cutCommands, namespaces, networkCommands, restoreCommands, sysctls } from './ip-commands.ts'
import { hostNamed, labPrefix, labTopology, maxNodes, portName } from './topology.ts'

test('the network of a lab with one node', async () => {
  const { root, inside } = networkCommands(labTopology({ id: 'one', nodes: 1 }))
  const text = [
    ...[...root].map((line) => `ip ${line}`),
    ...[...inside].flatMap(([ns, lines]) => lines.map((l) => `ip -n ${ns} ${l}`)),
  ]
  await expect(`${text.join('\n')}\n`).toMatchFileSnapshot('testdata/one-node.txt')
})

test('addresses, namespaces and interface names are unique and fit, at the largest size', () => {
  const topology = labTopology({ id: 'abcdefghijklmnop', nodes: maxNodes })
  const interfaces = topology.hosts.flatMap((h) => h.interfaces.map((i) => ({ ...i, port: portName(h, i) })))
  const all = <T>(values: readonly T[]) => expect(new Set(values).size).toBe(values.length)
  all(interfaces.map((i) => i.ipv4))
  all(interfaces.map((i) => i.ipv6))
  all(interfaces.map((i) => i.port))
  all(namespaces(topology))
  all(topology.hosts.flatMap((h) => h.podCIDRs ?? []))
  expect(interfaces.filter((i) => i.port.length > 15)).toEqual([])
})

test("no lab's prefix begins another's", () => {
  for (const id of ['', 'a-b', 'A', 'a_b', '../x', 'abcdefghijklmnopq'])
    expect(() => labPrefix(id)).toThrow(RangeError)
  expect(labPrefix('ab').startsWith(labPrefix('a'))).toBe(false)
})

test('an unknown host is named together with those that there are', () => {
  const topology = labTopology({ id: 'x', nodes: 2 })
  expect(() => hostNamed(topology, 'n3')).toThrow(
    "no host 'n3' in lab 'x'; there are cp, n1, n2, client, r1, r2, client2",
  )
  for (const nodes of [0, 1.5, maxNodes + 1])
    expect(() => labTopology({ id: 'x', nodes })).toThrow(RangeError)
})

test('cutting and restoring a host touches only its own ports', () => {
  const topology = labTopology({ id: 'x', nodes: 1 })
  expect(cutCommands(hostNamed(topology, 'n1'), false)).toEqual(['link set p-n1 down'])
  expect(cutCommands(hostNamed(topology, 'n1'), true)).toEqual(['link set p-n1 nomaster'])
  expect(restoreCommands(hostNamed(topology, 'r1'))).toEqual([
    'link set p-r1 master br-lan up',
    'link set b-r1 master br-back up',
  ])
})

test('only nodes and routers forward', () => {
  const forwarding = labTopology({ id: 'x', nodes: 1 }).hosts.filter((h) =>
    sysctls(h).includes('net.ipv4.ip_forward=1'),
  )
  expect(forwarding.map((h) => h.name)).toEqual(['n1', 'r1', 'r2'])
})
