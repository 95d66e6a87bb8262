import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandOf } from './command.ts'
import { plainBooleans } from './flags.ts'

describe('command line', () => {
  it('has every command under landfall, and an image’s program its own', () => {
    const names = commandOf('landfall').commands.map((command) => command.name())
    expect(names).toEqual(
      expect.arrayContaining(['controller', 'speaker', 'serve', 'bootstrap', 'certgen', 'envoy']),
    )
    expect(commandOf('controller').options.map((option) => option.long)).toContain('--port')
    expect(commandOf('contour').commands.map((command) => command.name())).not.toContain('speaker')
    expect(commandOf('lokoctl').commands.map((command) => command.name())).toEqual(['component', 'version'])
  })

  it.each([
    ['--incluster=true', ['--incluster']],
    ['--incluster=false', []],
    ['--ipv6=false', ['--no-ipv6']],
    ['--ipv6=true', []],
    ['--xds-address=true', ['--xds-address=true']],
    ['--incluster', ['--incluster']],
  ])('reads %s as Go does', (argument, plain) => {
    expect(plainBooleans(commandOf('contour'), ['serve', argument])).toEqual(['serve', ...plain])
  })

  it('leaves the folder after a boolean flag alone', () => {
    const certgen = commandOf('contour').commands.find((command) => command.name() === 'certgen')
    const parsed = certgen?.parseOptions(['--pem', 'out'])
    expect(parsed?.operands).toEqual(['out'])
  })

  it.each([
    ['registry.example.com', true],
    ['registry.example.com:5000/team/a-b', true],
    ['10.0.0.1:5000', true],
    ['https://registry.example.com', false],
    ['registry.example.com/', false],
    ['registry.example.com/landfall:0.1.0', false],
    ['', false],
  ])('takes %j as a registry: %s', (registry, taken) => {
    const component = commandOf('lokoctl').commands.find((command) => command.name() === 'component')
    const outcomes = ['install', 'apply', 'render-manifest'].map((name) => {
      const command = component?.commands.find((below) => below.name() === name)
      command?.exitOverride().configureOutput({ writeErr: () => {} })
      try {
        command?.parseOptions(['--image-registry', registry])
        return command?.opts()['imageRegistry']
      } catch (error) {
        return error instanceof Error && error.message.includes('must be a registry') ? 'refused' : error
      }
    })
    expect(outcomes).toEqual(Array(3).fill(taken ? registry : 'refused'))
  })

  it.each([
    ['envoy shutdown', 'drain-delay', '500ms', 500],
    ['envoy shutdown', 'quiet-period', '1m30.5s', 90_500],
    ['envoy shutdown', 'check-interval', '0', 0],
    ['envoy shutdown', 'check-delay', '5', 'refused'],
    ['envoy shutdown', 'check-delay', '-5s', 'refused'],
    ['serve', 'leader-election-lease-duration', '.5s', 0.5],
    ['serve', 'leader-election-lease-duration', '0s', 'refused'],
    ['serve', 'leader-election-lease-duration', 'soon', 'refused'],
  ])('contour %s takes --%s %s as Go does', (path, flag, given, outcome) => {
    const below = (command: Command, name: string) => command.commands.find((one) => one.name() === name)
    const contour = commandOf('contour')
    const command = path.split(' ').reduce<Command | undefined>((at, name) => at && below(at, name), contour)
    command?.exitOverride().configureOutput({ writeErr: () => {} })
    const read = () => {
      try {
        command?.parseOptions([`--${flag}=${given}`])
        return command?.opts()[flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
      } catch (error) {
        return error instanceof Error && error.message.includes('must be a duration') ? 'refused' : error
      }
    }
    expect(read()).toBe(outcome)
  })

  it('ends quietly when nobody reads along any more', { timeout: 60_000 }, async () => {
    const program = fileURLToPath(new URL('./main.ts', import.meta.url))
    const child = spawn(process.execPath, [program, 'component', 'list'])
    child.stdout.destroy()
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said.replace(/^.*ExperimentalWarning[^]*?\n.*\n/, '')]).toEqual([0, ''])
  })
})
