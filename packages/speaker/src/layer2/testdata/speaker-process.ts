/** A speaker's layer 2 alone, for tests: `node speaker-process.ts '{options, desired}'`; its state goes to stdout. */
import type { Desired, WorkerOptions } from '../messages.ts'
import { Layer2Worker } from '../worker-handle.ts'

const { options, desired, secret }: { options: WorkerOptions; desired: Desired; secret: string } = JSON.parse(
  process.argv[2] ?? '{}',
)
const worker = new Layer2Worker(
  { ...options, secret: secret === '' ? undefined : Buffer.from(secret) },
  {
    onMessage: (message) => process.stdout.write(`${JSON.stringify(message)}\n`),
    onFailure: (error) => {
      process.stderr.write(`${error.stack}\n`)
      process.exit(1)
    },
  },
)
worker.setDesired(desired)
process.on('SIGTERM', () => void end())

async function end(): Promise<void> {
  const left = { kind: 'left', handedOver: await worker.leave() }
  process.stdout.write(`${JSON.stringify(left)}\n`)
  await worker.stop()
  process.exit(0)
}
