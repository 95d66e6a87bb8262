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
})
