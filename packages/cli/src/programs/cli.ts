/** `cli cds|eds|lds|rds|sds`: what the control plane serves Envoys, as JSON. */
import { Command } from 'commander'
import { booleanFlag, stopSignal } from '../flags.ts'

interface Flags {
  readonly contour: string
  readonly cafile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly delta: boolean
  readonly nack: boolean
  readonly nodeId: string
}

const kinds = {
  cds: 'clusters',
  eds: 'endpoints',
  lds: 'listeners',
  rds: 'routes',
  sds: 'secrets',
} as const

export function cliCommand(): Command {
  const command = new Command('cli').description('follow what the control plane serves Envoys, as JSON')
  for (const [name, type] of Object.entries(kinds)) command.addCommand(followCommand(name, type))
  return command
}

function followCommand(name: string, type: (typeof kinds)[keyof typeof kinds]): Command {
  const command = new Command(name)
    .description(`print each response of ${type}; private keys are left out`)
    .argument('[names...]', 'of the resources; all of them unless given')
    .option('--contour <host:port>', 'control plane', '127.0.0.1:8001')
    .option('--cafile <file>', 'authority that the control plane must be signed by')
    .option('--cert-file <file>', 'certificate shown to the control plane')
    .option('--key-file <file>', 'its key')
    .addOption(booleanFlag('delta', 'ask for changes, not for the whole state each time'))
    .addOption(booleanFlag('nack', 'refuse every response'))
    .option('--node-id <name>', 'name of the Envoy that is played', 'ContourCLI')
  return command.action(async (names: readonly string[], flags: Flags) => {
    const { runClient } = await import('@landfall/ingress/client')
    await runClient({
      type,
      names,
      server: flags.contour,
      tls: tlsOf(command, flags),
      delta: flags.delta,
      nack: flags.nack,
      nodeId: flags.nodeId,
      signal: stopSignal(),
      print: (line) => process.stdout.write(`${line}\n`),
    })
  })
}

/** All three files or none. */
function tlsOf(command: Command, { cafile: ca, certFile: certificate, keyFile: key }: Flags) {
  if (ca !== undefined && certificate !== undefined && key !== undefined) return { ca, certificate, key }
  if (ca === undefined && certificate === undefined && key === undefined) return undefined
  return command.error('error: --cafile, --cert-file and --key-file go together')
}
