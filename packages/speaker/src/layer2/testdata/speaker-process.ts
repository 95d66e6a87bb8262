/**
 * A speaker's layer 2 alone, for tests: `node speaker-process.ts '{options, addresses, peers, secret}'`; lines of
 * addresses on standard input change those; its state goes to stdout, maps as objects.
 */
import { createInterface } from 'node:readline'
import type { Desired, WantedAddress, WorkerOptions } from '../messages.ts'
import { Layer2Worker } from '../worker-handle.ts'

interface Argument {
  readonly options: WorkerOptions
  readonly addresses: readonly WantedAddress[]
  readonly peers: Desired['peers']
  readonly secret: string
}

const { options, addresses, peers, secret }: Argument = JSON.parse(process.argv[2] ?? '{}')
const plain = (_: string, value: unknown): unknown =>
  value instanceof Map ? Object.fromEntries(value) : value
const worker = new Layer2Worker(
  { ...options, secret: secret === '' ? undefined : Buffer.from(secret) },
  {
    onMessage: (message) => process.stdout.write(`${JSON.stringify(message, plain)}\n`),
    onFailure: (error, hung) => {
      process.stderr.write(`${error.stack}\n`)
      if (hung) process.kill(process.pid, 'SIGKILL')
      process.exit(1)
    },
  },
)
desire(addresses)
createInterface({ input: process.stdin }).on('line', (line) => desire(JSON.parse(line)))
process.on('SIGTERM', () => void end())

function desire(addresses: readonly WantedAddress[]): void {
  worker.setDesired({ addresses: new Map(addresses.map((one) => [one.ip, one])), peers })
}

async function end(): Promise<void> {
  const left = { kind: 'left', handedOver: await worker.leave() }
  process.stdout.write(`${JSON.stringify(left)}\n`)
  await worker.stop()
  process.exit(0)
}
