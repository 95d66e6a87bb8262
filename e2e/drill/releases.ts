/** The drill `releases`: manifests of every other release that is known, with our images; the scenario takes some of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LablessDrill } from './drill.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const releases: LablessDrill = {
  about: "other releases' manifests of MetalLB and Contour, only image: changed, under their own roles",
  times: 1,
  run: async ({ times = 1 }) => {
    const complaints: string[] = []
    for (let round = 1; round <= times; round++) {
      const code = await runScenario()
      if (code !== 0) complaints.push(`round ${round}: the scenario ended with ${String(code)}; see above`)
    }
    return { table: `${times - complaints.length} of ${times} rounds passed`, complaints }
  },
}

async function runScenario(): Promise<unknown> {
  const child = spawn('vitest', ['run', '--project', 'lab', '10-foreign-releases'], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${root}/node_modules/.bin:${process.env['PATH']}`,
      LANDFALL_RELEASES: 'all',
    },
  })
  const [code] = await once(child, 'exit')
  return code
}
