/** The command line of each program name: `landfall` has all commands, an image's program its own. */
import { describeError } from '@landfall/telemetry'
import { Command } from 'commander'
import { doubleDashes, plainBooleans } from './flags.ts'
import { bootstrapCommand } from './programs/bootstrap.ts'
import { certgenCommand } from './programs/certgen.ts'
import { cliCommand } from './programs/cli.ts'
import { configCommand } from './programs/config.ts'
import { controllerCommand } from './programs/controller.ts'
import { envoyCommand } from './programs/envoy.ts'
import { layer2Command } from './programs/layer2.ts'
import { migrateCommand } from './programs/migrate.ts'
import { serveCommand } from './programs/serve.ts'
import { speakerCommand } from './programs/speaker.ts'
import { uninstallCommand } from './programs/uninstall.ts'
import { versionCommand } from './programs/version.ts'
import { readVersion } from './version.ts'

export type ProgramName = 'landfall' | 'controller' | 'speaker' | 'contour'

export function commandOf(name: ProgramName): Command {
  if (name === 'controller') return controllerCommand().version(readVersion())
  if (name === 'speaker') return speakerCommand().version(readVersion())
  const ingress = [
    serveCommand(),
    bootstrapCommand(),
    certgenCommand(),
    envoyCommand(),
    configCommand(),
    cliCommand(),
    versionCommand(),
  ]
  if (name === 'contour') return group(name, 'programs Envoy from Ingress and HTTPProxy', ingress)
  const tools = [layer2Command(), migrateCommand(), uninstallCommand()]
  const all = [controllerCommand(), speakerCommand(), ...ingress, ...tools]
  return group(name, 'addresses for Services, their announcement, and ingress, on your own machines', all)
}

function group(name: string, description: string, commands: readonly Command[]): Command {
  const root = new Command(name).description(description).version(readVersion())
  for (const command of commands) root.addCommand(command)
  return root
}

/** Runs the command line; a failure is one line on standard error and exit code 1, whatever is still open. */
export async function run(name: ProgramName): Promise<void> {
  const command = commandOf(name)
  try {
    await command.parseAsync(plainBooleans(command, doubleDashes(command, process.argv)))
  } catch (error) {
    process.stderr.write(`${name}: ${describeError(error)}\n`)
    process.exit(1)
  }
}
