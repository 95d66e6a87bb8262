/** `trace URL`: each step on the way of a request, and the first that is broken. Exit code 1: one is; 2: it cannot be told. */
import type { Addresses, Target } from '@landfall/diagnosis'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  type DiagnosisFlags,
  diagnosisCommand,
  jsonText,
  openForDiagnosis,
  painterFor,
  readView,
  unlessNoAccess,
} from '../diagnosis.ts'

interface Flags extends DiagnosisFlags {
  readonly address?: string
  readonly method: string
  readonly header: readonly Header[]
}

type Header = readonly [name: string, value: string]

export function traceCommand(): Command {
  const command = diagnosisCommand(
    new Command('trace')
      .description(
        'follow a URL from its address to its pods, and name the first broken step with its reason; exit code 1 when one is',
      )
      .argument('<url>', 'such as https://shop.example.com/cart'),
  )
  command
    .addOption(new Option('--address <ip>', 'connect there, whatever the DNS says'))
    .addOption(new Option('-X, --method <method>', 'of the request').default('GET'))
    .addOption(
      new Option('-H, --header <header>', 'of the request, as "Name: value"; may be given again')
        .argParser(readHeader)
        .default([], 'none'),
    )
    .addOption(
      new Option('--live', 'try the request from here; an address that cannot be reached is a fault'),
    )
    .addOption(
      new Option('--no-live', 'look at objects alone: ask neither DNS nor pods, and do not try the request'),
    )
  return command.action((url: string, flags: Flags) => unlessNoAccess(() => trace(command, url, flags)))
}

function readHeader(text: string, before: readonly Header[]): readonly Header[] {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('must be "Name: value".')
  return [...before, [name, value]]
}

async function trace(command: Command, url: string, flags: Flags): Promise<void> {
  const {
    concluded,
    neighbourText,
    readNeighbours,
    readStandings,
    readTarget,
    suspects,
    traceLive,
    traceObjects,
    traceText,
    tryRequest,
  } = await import('@landfall/diagnosis')
  const read = readTarget(url, { method: flags.method.toUpperCase(), headers: flags.header })
  if (typeof read === 'string') return command.error(`error: ${read}`)
  const cluster = await openForDiagnosis(flags, 'trace')
  try {
    const [view, addresses] = await Promise.all([readView(cluster, flags), addressesOf(read, flags)])
    const target: Target = { ...read, addresses }
    const standings = flags.live === false ? undefined : await readStandings(cluster, view, target)
    const { steps, address, announcers, byEnvoy } = traceObjects(view, target, standings)
    const at = address.includes(':') ? `[${address}]:${read.toPort}` : `${address}:${read.toPort}`
    const tried =
      flags.live === false
        ? ({ kind: 'notTried', why: 'not tried (--no-live)' } as const)
        : address === ''
          ? ({ kind: 'notTried', why: 'there is no address' } as const)
          : await tryRequest(address, target)
    const { observed } = view
    const expected = {
      at,
      insisted: flags.live === true,
      byEnvoy,
      namespace: flags.ingressNamespace,
      // After the request, for which this machine had to know them.
      neighbour: neighbourText(address, await readNeighbours(), observed.nodes.items, announcers),
      suspects: suspects(observed),
    }
    const found = concluded(target.url, [...steps, traceLive(tried, expected)])
    process.stdout.write(
      flags.output === 'json' ? jsonText(found, true) : traceText(found, await painterFor(process.stdout)),
    )
    process.exitCode = found.ok ? 0 : 1
  } finally {
    cluster.close()
  }
}

async function addressesOf(
  { authority, authorityIsAddress }: Omit<Target, 'addresses'>,
  { address: told, live }: Flags,
): Promise<Addresses> {
  if (told !== undefined) return { kind: 'told', all: [told] }
  if (authorityIsAddress) return { kind: 'written', all: [authority] }
  if (live === false) return { kind: 'notAsked' }
  const { lookUp } = await import('@landfall/diagnosis')
  return lookUp(authority)
}
