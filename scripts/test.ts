/**
 * `npm test`: the CI tier. Unit tests first, then the scenarios on the lab; arguments go to vitest. Ends with
 * `N passed, N failed, N skipped` alone on a line.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const unitOnly = /--project[= ]unit/.test(process.argv.join(' '))
if (process.getuid?.() !== 0 && !unitOnly) {
  process.stderr.write(
    'landfall: the tests make network namespaces, which takes root: run `sudo npm test`, or `npm test -- --project unit` without.\n',
  )
  process.exit(1)
}

// Where nothing may be skipped, every real part has to be there: built once, by what `npm run lab -- parts` does.
if (process.env['LANDFALL_NO_SKIP'] === '1') {
  const parts = spawnSync(process.execPath, [join(root, 'e2e', 'lab', 'cli.ts'), 'parts'], {
    stdio: 'inherit',
  })
  if (parts.status !== 0) process.exit(parts.status ?? 1)
}

const vitest = join(root, 'node_modules', '.bin', 'vitest')
const child = spawnSync(vitest, ['run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
process.exitCode = child.status ?? 1
