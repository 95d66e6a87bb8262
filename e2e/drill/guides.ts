/** The drill `guides`: the scenarios that follow the guides, with the times that rows name held to the rows' own bounds. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LablessDrill } from './drill.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const guides: LablessDrill = {
  about: 'the five guides from top to bottom, in the times that their rows name',
  times: 1,
  run: async ({ times = 1 }) => {
    const complaints: string[] = []
    for (let round = 1; round <= times; round++) {
      const code = await runScenarios()
      if (code !== 0) complaints.push(`round ${round}: the scenarios ended with ${String(code)}; see above`)
    }
    return { table: `${times - complaints.length} of ${times} rounds passed\n`, complaints }
  },
}

async function runScenarios(): Promise<unknown> {
  const child = spawn('vitest', ['run', '--project', 'lab', '--retry=0', '12-guides'], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${root}/node_modules/.bin:${process.env['PATH']}`,
      LANDFALL_TIMES: 'judge',
    },
  })
  const [code] = await once(child, 'exit')
  return code
}
