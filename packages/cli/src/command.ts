/** The command line of each program name: `landfall` has all commands, an image's program its own. */
import { describeError } from '@landfall/telemetry'
import { Command } from 'commander'
import { doubleDashes, logFormatFlag, plainBooleans } from './flags.ts'
import { bootstrapCommand } from './programs/bootstrap.ts'
import { certgenCommand } from './programs/certgen.ts'
import { cliCommand } from './programs/cli.ts'
import { componentCommand } from './programs/component.ts'
import { configCommand } from './programs/config.ts'
import { controllerCommand } from './programs/controller.ts'
import { envoyCommand } from './programs/envoy.ts'
import { layer2Command } from './programs/layer2.ts'
import { migrateCommand } from './programs/migrate.ts'
import { serveCommand } from './programs/serve.ts'
import { speakerCommand } from './programs/speaker.ts'
import { statusCommand } from './programs/status.ts'
import { traceCommand } from './programs/trace.ts'
import { uninstallCommand } from './programs/uninstall.ts'
import { versionCommand } from './programs/version.ts'
import { readVersion } from './version.ts'

export type ProgramName = 'landfall' | 'controller' | 'speaker' | 'contour' | 'lokoctl'

export function commandOf(name: ProgramName): Command {
  if (name === 'controller') return controllerCommand().version(readVersion())
  if (name === 'speaker') return speakerCommand().version(readVersion())
  if (name === 'lokoctl')
    return group(name, 'components of Lokomotive', [componentCommand(), versionCommand()])
  const ingress = [
    serveCommand(),
    bootstrapCommand(),
    certgenCommand(),
    envoyCommand(),
    configCommand(),
    cliCommand(),
    versionCommand(),
  ]
  if (name === 'contour')
    return group(name, 'programs Envoy from Ingress and HTTPProxy', ingress).addOption(logFormatFlag())
  const tools = [
    componentCommand(),
    layer2Command(),
    migrateCommand(),
    uninstallCommand(),
    statusCommand(),
    traceCommand(),
  ]
  const all = [controllerCommand(), speakerCommand(), ...ingress, ...tools]
  const description = 'addresses for Services, their announcement, and ingress, on your own machines'
  return group(name, description, all).addOption(logFormatFlag())
}

function group(name: string, description: string, commands: readonly Command[]): Command {
  const root = new Command(name).description(description).version(readVersion())
  for (const command of commands) root.addCommand(command)
  return root
}

/** Runs the command line; a failure is one line on standard error and exit code 1, whatever is still open. */
export async function run(name: ProgramName): Promise<void> {
  const command = commandOf(name)
  if (name === 'landfall' || name === 'lokoctl') process.stdout.on('error', endQuietly)
  try {
    await command.parseAsync(plainBooleans(command, doubleDashes(command, process.argv)))
  } catch (error) {
    process.stderr.write(`${name}: ${describeError(error)}\n`)
    process.exit(1)
  }
}

/** Who reads along has read enough, as `| head` has. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}
