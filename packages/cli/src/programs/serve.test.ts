import { expect, test } from 'vitest'
import { commandOf } from '../command.ts'
import { givenSettings, serveCommand, settingFlags } from './serve.ts'

/** Those of `contour serve`. */
const contourFlags =
  'config-path contour-config-name incluster kubeconfig kubernetes-client-qps kubernetes-client-burst kubernetes-debug ' +
  'debug debug-http-address debug-http-port http-address http-port health-address health-port xds-address xds-port ' +
  'contour-cafile contour-cert-file contour-key-file insecure stats-address stats-port envoy-service-http-address ' +
  'envoy-service-http-port envoy-service-https-address envoy-service-https-port envoy-http-access-log ' +
  'envoy-https-access-log use-proxy-protocol accesslog-format ingress-class-name ingress-status-address ' +
  'envoy-service-name envoy-service-namespace root-namespaces watch-namespaces disable-feature ' +
  'disable-leader-election leader-election-lease-duration leader-election-renew-deadline ' +
  'leader-election-retry-period leader-election-resource-name leader-election-resource-namespace'

const cliFlags = 'contour cafile cert-file key-file delta nack node-id'

test('serve has every flag of contour serve', () => {
  const known = new Set(serveCommand().options.map(({ long }) => long?.slice(2)))
  expect(contourFlags.split(' ').filter((name) => !known.has(name))).toEqual([])
})

test('cli has its five kinds, each with the flags of contour cli', () => {
  const cli = commandOf('contour').commands.find((command) => command.name() === 'cli')
  expect(cli?.commands.map((command) => command.name())).toEqual(['cds', 'eds', 'lds', 'rds', 'sds'])
  for (const command of cli?.commands ?? []) {
    const known = new Set(command.options.map(({ long }) => long?.slice(2)))
    expect(cliFlags.split(' ').filter((name) => !known.has(name))).toEqual([])
  }
})

test('only a flag that is given is a setting, and the config file may say the rest', () => {
  const command = serveCommand()
  command.parseOptions([
    '--xds-port=9001',
    '--ingress-class-name=a, b',
    '--no-ipv6',
    '--kubernetes-client-qps=2.5',
  ])
  expect(givenSettings(command, settingFlags())).toEqual({
    xdsPort: 9001,
    ingressClasses: ['a', 'b'],
    ipv6: false,
    kubernetesQps: 2.5,
  })
})

test.each([
  ['--leader-election-lease-duration=15'],
  ['--leader-election-retry-period=-1s'],
  ['--disable-feature=everything'],
  ['--kubernetes-client-qps=0'],
  ['--accesslog-format=xml'],
])('%s is refused', (flag) => {
  const command = serveCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  expect(() => command.parseOptions([flag])).toThrow(/argument|Allowed choices|must be/)
})
