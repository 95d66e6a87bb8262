// The cache of parts: `<cache>/landfall/parts/<bundle>/<version>/<program>`.
// A bundle is made in a directory of another name and renamed when whole, so an interrupted download
// or build is never taken for a part. What `--version` said is remembered by the file's size and
// time, so that a warm check starts no program.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { tryRun } from '../host/command.ts'
import { isAlive, type ProcessId, processStat } from '../host/process-table.ts'
import { type Bundle, versions } from './catalogue.ts'

export function partsDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'landfall', 'parts')
}

export function bundleDirectory(bundle: Bundle): string {
  return join(partsDirectory(), bundle, versions[bundle])
}

interface Remembered {
  readonly size: number
  readonly mtimeMs: number
  readonly said: string
}

function memoryPath(): string {
  return join(partsDirectory(), 'verified.json')
}

function readMemory(): Readonly<Record<string, Remembered>> {
  try {
    return JSON.parse(readFileSync(memoryPath(), 'utf8'))
  } catch {
    return {} // not there, or half written by a crash: the programs are asked again
  }
}

/** What the program answers to its version question, or undefined when it cannot be run. */
export async function versionText(path: string, question: readonly string[]): Promise<string | undefined> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isFile()) return undefined
  const known = readMemory()[path]
  if (known?.size === stat.size && known.mtimeMs === stat.mtimeMs) return known.said
  const said = await ask(path, question)
  if (said === undefined) return undefined
  const memory = { ...readMemory(), [path]: { size: stat.size, mtimeMs: stat.mtimeMs, said } }
  mkdirSync(partsDirectory(), { recursive: true })
  const fresh = `${memoryPath()}.${process.pid}`
  writeFileSync(fresh, `${JSON.stringify(memory, undefined, 2)}\n`)
  renameSync(fresh, memoryPath())
  return said
}

async function ask(path: string, question: readonly string[]): Promise<string | undefined> {
  try {
    const { code, stdout, stderr } = await tryRun([path, ...question], { timeoutMs: 20_000 })
    return code === 0 ? `${stdout}${stderr}`.trim() : undefined
  } catch {
    return undefined // not executable here
  }
}

/** Lets `make` fill a fresh directory and puts it in the bundle's place when it is done. One maker at a time. */
export async function fillBundle(
  bundle: Bundle,
  make: (directory: string) => Promise<void>,
  isThere: () => Promise<boolean>,
): Promise<void> {
  const target = bundleDirectory(bundle)
  mkdirSync(dirname(target), { recursive: true })
  const release = await lock(`${target}.lock`)
  try {
    if (await isThere()) return
    const fresh = `${target}.making`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh)
    await make(fresh)
    rmSync(target, { recursive: true, force: true })
    renameSync(fresh, target)
  } finally {
    release()
  }
}

/** Waits while another live process holds the file. */
async function lock(path: string): Promise<() => void> {
  while (true) {
    try {
      writeFileSync(path, JSON.stringify(processStat(process.pid)), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (e) {
      if (!(e instanceof Error && 'code' in e && e.code === 'EEXIST')) throw e
    }
    const holder = lockHolder(path)
    if (holder === undefined || !isAlive(holder)) rmSync(path, { force: true })
    else await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

function lockHolder(path: string): ProcessId | undefined {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
