import { expect, test } from 'vitest'
import type { PodSpec } from '../api/pod.ts'
import { hostsFile, podHostname, resolvConf } from './pod-files.ts'

const node = { nodeName: 'n1', clusterDNS: ['169.254.77.53'] }
const pod = (spec: Partial<PodSpec>) => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1' },
  spec: { containers: [], ...spec },
})
const cluster =
  'search ns.svc.cluster.local svc.cluster.local cluster.local\nnameserver 169.254.77.53\noptions ndots:5\n'

test('a pod asks the cluster, one in the host network only when it says so', () => {
  expect(resolvConf(pod({}), node)).toBe(cluster)
  expect(resolvConf(pod({ hostNetwork: true }), node)).toBe('')
  expect(resolvConf(pod({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), node)).toBe(cluster)
  expect(resolvConf(pod({ dnsPolicy: 'Default' }), node)).toBe('')
})

test('dnsConfig adds, and its ndots wins', () => {
  const dnsConfig = { nameservers: ['10.0.0.9'], searches: ['x'], options: [{ name: 'ndots', value: '1' }] }
  expect(resolvConf(pod({ dnsPolicy: 'None', dnsConfig }), node)).toBe(
    'search x\nnameserver 10.0.0.9\noptions ndots:1\n',
  )
  expect(resolvConf(pod({ dnsConfig }), node)).toContain('options ndots:1\n')
})

test('names of the pod', () => {
  expect(podHostname(pod({}), 'n1')).toBe('p')
  expect(podHostname(pod({ hostNetwork: true }), 'n1')).toBe('n1')
  expect(
    hostsFile(pod({ subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] }), 'p', [
      '10.244.1.2',
    ]),
  ).toBe(
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' +
      '10.244.1.2\tp.sub.ns.svc.cluster.local\tp\n1.2.3.4\ta\tb\n',
  )
})
