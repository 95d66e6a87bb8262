/** The drill `properties`: the tests that state properties, with other examples in each run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LablessDrill } from './drill.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const properties: LablessDrill = {
  about: 'what holds for all inputs, with new examples by seed in each repetition',
  times: 20,
  run: async ({ times = 20, progress }) => {
    const files = await filesOfProperties()
    // Each day other seeds, the same for all who drill that day.
    const first = Math.floor(Date.now() / 86_400_000) * 1000
    const complaints: string[] = []
    for (let seed = first; seed < first + times; seed++) {
      const told = await progress.step(`seed ${seed}`, () => runWith(seed, files))
      if (told !== undefined) complaints.push(`LANDFALL_SEED=${seed}: ${told}`)
    }
    const table = `${files.length} files with seeds ${first} to ${first + times - 1}, ${complaints.length} of them failed\n`
    return { table, complaints }
  },
}

async function filesOfProperties(): Promise<readonly string[]> {
  const files: string[] = []
  for await (const file of glob('packages/*/src/**/*.test.ts', { cwd: root }))
    if ((await readFile(join(root, file), 'utf8')).includes("from 'fast-check'")) files.push(file)
  return files.toSorted()
}

/** What failed, if anything did. */
async function runWith(seed: number, files: readonly string[]): Promise<string | undefined> {
  const vitest = join(root, 'node_modules', '.bin', 'vitest')
  const child = spawn(vitest, ['run', '--project', 'unit', '--reporter', 'dot', ...files], {
    cwd: root,
    env: { ...process.env, LANDFALL_SEED: `${seed}`, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
  const [code] = await once(child, 'close')
  if (code === 0) return undefined
  const failed = told.split('\n').filter((line) => /^\s*FAIL|Counterexample|seed:/.test(line))
  return (failed.length > 0 ? failed : told.trim().split('\n').slice(-20)).join('\n  ')
}
