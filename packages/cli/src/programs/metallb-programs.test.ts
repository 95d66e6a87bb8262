/** The command lines of MetalLB's controller and speaker: what is taken, what it means, and what is said about it. */
import type { Logger } from '@landfall/telemetry'
import { createLogger, defaultTls } from '@landfall/telemetry'
import type { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { doubleDashes, plainBooleans } from '../flags.ts'
import { ignoredByBoth, sayBgpType, sayIgnored } from '../metallb-flags.ts'
import { controllerCommand, controllerOptions, ignoredByController } from './controller.ts'
import { ignoredBySpeaker, speakerCommand, speakerOptions } from './speaker.ts'

let lines: Record<string, unknown>[] = []
let logger: Logger

beforeEach(() => {
  lines = []
  logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) })
  for (const name of Object.keys(process.env)) if (/^(METALLB|FRR)/.test(name)) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

function parse(command: Command, args: readonly string[]): Command {
  const quiet = command.exitOverride().configureOutput({ writeErr: () => {} })
  const plain = plainBooleans(quiet, doubleDashes(quiet, args))
  const { operands, unknown } = quiet.parseOptions([...plain])
  expect([operands, unknown]).toEqual([[], []])
  return quiet
}

function environment(command: Command): Command {
  // commander reads the environment when it parses a whole line.
  command.action(() => {})
  command.parse([], { from: 'user' })
  return command
}

const controller = (...args: readonly string[]) =>
  controllerOptions(parse(environment(controllerCommand()), args))
const speaker = (...args: readonly string[]) =>
  speakerOptions(parse(environment(speakerCommand()), ['--node-name=n1', ...args]))

describe.each([
  ['controller', controller],
  ['speaker', speaker],
] as const)('%s', (_, program) => {
  it('serves /metrics over HTTPS on 9120 unless a port is named', () => {
    const secure = { tls: defaultTls, certificateFolder: undefined }
    expect(program().metrics).toEqual({ address: '::', port: 9120, secure })
    expect(program('--port=9120').metrics.secure).toEqual(secure)
    expect(program('--port=7472').metrics).toEqual({ address: '::', port: 7472, secure: undefined })
    expect(program('--port=0').metrics.port).toBe(0)
  })

  it('serves it plainly on 7472 where a ConfigMap is named, as older manifests do', () => {
    expect(program('--config=config').metrics).toEqual({ address: '::', port: 7472, secure: undefined })
  })

  it('takes Go’s single dash', () => {
    expect(program('-port=7472', '-namespace', 'lb')).toMatchObject({
      namespace: 'lb',
      metrics: { port: 7472 },
    })
  })

  it('takes how TLS is spoken', () => {
    const { secure } = program(
      '--tls-min-version=VersionTLS12',
      '--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      '--tls-curve-preferences=X25519,CurveP256',
      '--metrics-cert-dir=/certs',
    ).metrics
    expect(secure).toEqual({
      tls: {
        minVersion: 'TLSv1.2',
        ciphers: expect.stringMatching(/:ECDHE-RSA-AES128-GCM-SHA256$/),
        ecdhCurve: 'X25519:P-256',
      },
      certificateFolder: '/certs',
    })
    expect(program('--port=8443', '--metrics-cert-dir=/certs').metrics.secure).toBeDefined()
  })

  it.each([
    ['--port=70000', /must be a port/],
    ['--tls-min-version=1.2', /1.2 is no TLS version known here; use VersionTLS10/],
    ['--tls-cipher-suites=RC4,DES', /RC4, DES is no cipher suite known here/],
    ['--tls-curve-preferences=P999', /P999 is no curve known here/],
    ['--log-level=loud', /Allowed choices/],
  ])('refuses %s', (flag, message) => {
    expect(() => program(flag)).toThrow(message)
  })

  it('takes the namespace as it was called of old, the newer name first', () => {
    expect(program('--config-ns=old').namespace).toBe('old')
    expect(program('--config-ns=old', '--namespace=new').namespace).toBe('new')
  })
})

describe('controller', () => {
  it('answers webhooks with a certificate of the usual Secret', () => {
    const { webhooks, allocates } = controller()
    expect(allocates).toBe(true)
    expect(webhooks).toEqual({
      address: '::',
      port: 9443,
      serviceName: 'metallb-webhook-service',
      secretName: 'metallb-webhook-cert',
      certificateFolder: undefined,
      tls: defaultTls,
    })
  })

  it('answers them as the flags say', () => {
    expect(controller('--webhook-mode=disabled').webhooks).toBeUndefined()
    // Releases that were configured by a ConfigMap had none.
    expect(controller('--config=config').webhooks).toBeUndefined()
    expect(controller('--webhook-mode=onlywebhook').allocates).toBe(false)
    expect(() => controller('--webhook-mode=maybe')).toThrow(/enabled, disabled, onlywebhook/)
    const flags = [
      '--webhook-secret=s',
      '--cert-service-name=w',
      '--disable-cert-rotation=true',
      '--cert-dir=/c',
    ]
    expect(controller(...flags).webhooks).toMatchObject({
      secretName: 's',
      serviceName: 'w',
      certificateFolder: '/c',
    })
    expect(controller('--cert-dir=/c').webhooks?.certificateFolder).toBeUndefined()
  })

  it('reads its environment', () => {
    vi.stubEnv('METALLB_NAMESPACE', 'lb')
    vi.stubEnv('METALLB_DEPLOYMENT', 'controller')
    vi.stubEnv('METALLB_ML_SECRET_NAME', 'memberlist')
    vi.stubEnv('METALLB_POD_NAME', 'controller-1')
    expect(controller()).toMatchObject({
      namespace: 'lb',
      deployment: 'controller',
      memberlistSecret: 'memberlist',
      identity: 'controller-1',
    })
  })
})

describe('speaker', () => {
  it('reads its environment, and its health is for the node alone', () => {
    vi.stubEnv('METALLB_NODE_NAME', 'n7')
    vi.stubEnv('METALLB_ML_BIND_ADDR', '192.0.2.7')
    vi.stubEnv('METALLB_ML_BIND_PORT', '7947')
    vi.stubEnv('METALLB_ML_LABELS', 'app=x')
    vi.stubEnv('METALLB_ML_SECRET_KEY_PATH', '/key')
    const options = speakerOptions(environment(speakerCommand()))
    expect(options).toMatchObject({
      node: 'n7',
      heartbeat: { bindAddress: '192.0.2.7', port: 7947, labels: 'app=x', secretPath: '/key' },
      health: { address: '127.0.0.1', port: 17472 },
    })
  })
})

describe('durations of the speaker', () => {
  const layer2 = (...args: string[]) =>
    speakerOptions(parse(speakerCommand(), ['--node-name=n', ...args])).layer2

  it('are those of Go, or seconds', () => {
    expect(layer2('--layer2-rebalance=10m', '--layer2-prefer-after=1h30m')).toMatchObject({
      rebalanceMs: 600_000,
      preferAfterMs: 5_400_000,
    })
    expect(layer2('--layer2-rebalance=90')).toMatchObject({ rebalanceMs: 90_000, preferAfterMs: undefined })
  })

  it.each(['soon', '10 m', '-1', '5m3', ''])('and nothing else: "%s"', (text) => {
    expect(() => layer2(`--layer2-rebalance=${text}`)).toThrow('must be a duration')
  })
})

describe('what has no effect', () => {
  it.each([
    ['controller', controllerCommand, ignoredByController, 4],
    ['speaker', speakerCommand, ignoredBySpeaker, 10],
  ] as const)('is taken and said by the %s, each flag once', (_, make, ignored, count) => {
    const flags = ignored.filter(({ flag }) => flag !== '')
    const args = flags.map(({ flag, boolean }) => (boolean ? `--${flag}` : `--${flag}=x`))
    const command = parse(make(), args)
    sayIgnored(command, ignored, logger)
    expect(lines.map(({ event }) => event)).toEqual(flags.map(() => 'flagWithoutEffect'))
    expect(flags.length).toBe(count)
    for (const [index, { flag, why }] of flags.entries())
      expect(lines[index]?.['msg']).toBe(`--${flag} has no effect: ${why}`)
  })

  it('is not said when it was not given', () => {
    sayIgnored(parse(speakerCommand(), ['--node-name=n']), ignoredBySpeaker, logger)
    sayBgpType(logger)
    expect(lines).toEqual([])
  })

  it('is said of a variable by its name', () => {
    vi.stubEnv('METALLB_HOST', '192.0.2.1')
    vi.stubEnv('FRR_CONFIG_FILE', '/etc/frr_reloader/frr.conf')
    sayIgnored(environment(speakerCommand()), ignoredBySpeaker, logger)
    expect(lines.map(({ flag }) => flag)).toEqual(['METALLB_HOST', 'FRR_CONFIG_FILE'])
  })

  it('is said of METALLB_BGP_TYPE, and louder of one that is no mode', () => {
    sayBgpType(logger, 'frr-k8s')
    sayBgpType(logger, 'quagga')
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['info', expect.stringContaining('one engine')],
      ['warn', expect.stringContaining('no mode of MetalLB')],
    ])
  })

  it('is in both programs where it was in both', () => {
    for (const one of ignoredByBoth)
      expect([ignoredByController, ignoredBySpeaker].every((all) => all.includes(one))).toBe(true)
  })
})
