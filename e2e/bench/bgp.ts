/** A table of 100,000 prefixes to each router, from our speaker and from BIRD: `packages/speaker` measures. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(
  new URL('../../packages/speaker/src/bgp/contract/table-bench.ts', import.meta.url),
)

export async function benchBgp(): Promise<void> {
  const child = spawn(process.execPath, [program], { stdio: 'inherit' })
  await once(child, 'exit')
  if (child.exitCode !== 0) throw new Error(`the measurement ended with code ${child.exitCode}`)
}
