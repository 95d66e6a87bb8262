/**
 * `pnpm check`: everything that must hold before a commit but the tests. Runs all checks, prints a table, and
 * ends with code 1 when one failed.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listLibraries, refusedLicenses } from './notices.ts'
import { readPackages, readProjects, readSources } from './rules/read.ts'
import { findBreaches } from './rules/rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

/** A check answers what is wrong; an empty string is good. */
type Check = () => Promise<string>

const checks: Readonly<Record<string, Check>> = {
  rules: async () =>
    findBreaches(readSources(root), readPackages(root), readProjects(root))
      .map(({ rule, where, what }) => `${rule}  ${where}  ${what}`)
      .join('\n'),
  types: () => run(bin('tsc'), ['-b']),
  lint: () => run(bin('oxlint'), ['--type-aware', '--deny-warnings', '.']),
  format: () => run(bin('biome'), ['ci', '--colors=off', '.']),
  generated: () => run(process.execPath, [join(root, 'scripts/generate.ts'), '--check']),
  licences: async () => refusedLicenses(listLibraries(root)).join('\n'),
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    child.stderr.on('data', (chunk) => (output += String(chunk)))
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) => resolve(code === 0 ? '' : output.trim() || `ended with code ${code}`))
  })
}

let failed = 0
for (const [name, check] of Object.entries(checks)) {
  const started = Date.now()
  const problem = await check().catch((error: unknown) => String(error))
  if (problem !== '') failed++
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(5)
  process.stdout.write(`${problem === '' ? '✓' : '✗'} ${name.padEnd(10)} ${seconds} s\n`)
  if (problem !== '') process.stdout.write(`${problem.replace(/^/gm, '    ')}\n`)
}
process.exitCode = failed === 0 ? 0 : 1
