/** `version`: the version alone on a line. */
import { Command } from 'commander'
import { readVersion } from '../version.ts'

export function versionCommand(): Command {
  return new Command('version').description('print the version').action(() => {
    process.stdout.write(`${readVersion()}\n`)
  })
}
