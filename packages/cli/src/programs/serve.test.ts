import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
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

const otherFlags = {
  bootstrap:
    'admin-address admin-port dns-lookup-family envoy-cafile envoy-cert-file envoy-key-file namespace ' +
    'overload-downstream-max-conn overload-max-heap resources-dir xds-address xds-port xds-resource-version',
  certgen:
    'certificate-lifetime incluster kube kubeconfig namespace overwrite pem yaml secrets-format secrets-name-suffix',
  'envoy shutdown-manager': 'ready-file serve-port',
  'envoy shutdown':
    'admin-address admin-port check-delay check-interval drain-delay min-open-connections ready-file',
}

test.each(Object.entries(otherFlags))('%s has every flag of contour’s', (name, flags) => {
  const path = name.split(' ')
  const command = path.reduce<Command | undefined>(
    (above, part) => above?.commands.find((one) => one.name() === part),
    commandOf('contour'),
  )
  const known = new Set(command?.options.map(({ long }) => long?.slice(2)))
  expect(flags.split(' ').filter((flag) => !known.has(flag))).toEqual([])
})

test('bootstrap takes 0 for no limit, as Contour does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-bootstrap-'))
  try {
    const path = join(folder, 'envoy.json')
    const bootstrap = commandOf('contour').commands.find((command) => command.name() === 'bootstrap')
    const flags = ['--overload-max-heap=0', '--overload-downstream-max-conn=0']
    await bootstrap?.parseAsync([path, ...flags], { from: 'user' })
    expect(JSON.parse(readFileSync(path, 'utf8'))).not.toHaveProperty('overload_manager')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  ['--log-format=text', 'serve'],
  ['serve', '--log-format=text'],
])('contour %s %s', (...args) => {
  const contour = commandOf('contour')
  for (const command of contour.commands) command.action(() => undefined)
  contour.parse(args, { from: 'user' })
  expect(contour.opts()).toEqual({ logFormat: 'text' })
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

test('0 requests are taken, which leave it to the default', () => {
  const command = serveCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  command.parseOptions(['--kubernetes-client-qps=0', '--kubernetes-client-burst=0'])
  expect(givenSettings(command, settingFlags())).toEqual({ kubernetesQps: 0, kubernetesBurst: 0 })
})

test.each([
  ['--leader-election-lease-duration=15'],
  ['--leader-election-retry-period=-1s'],
  ['--disable-feature=everything'],
  ['--kubernetes-client-qps=-1'],
  ['--kubernetes-client-qps='],
  ['--kubernetes-client-burst=1.5'],
  ['--accesslog-format=xml'],
])('%s is refused', (flag) => {
  const command = serveCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  expect(() => command.parseOptions([flag])).toThrow(/argument|Allowed choices|must be/)
})
