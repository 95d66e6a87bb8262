/** What layer 2 reads from files: interface excludes and the CPU quota at the start, the memberlist secret when it changes. */
import { readFileSync } from 'node:fs'
import type { Timing } from './layer2/codec/message.ts'
import { defaultExcludes } from './layer2/core/interface-rules.ts'

const fast: Timing = { intervalMs: 100, misses: 6 }
/** A throttled process stands still for up to 100 ms at a time. */
const throttled: Timing = { intervalMs: 200, misses: 5 }

/** Regular expressions. @throws an Error that names the file and what is wrong in it */
export async function readExcludes(file: string): Promise<readonly string[]> {
  const text = readIfThere(file)
  if (text === undefined) return defaultExcludes
  // With its YAML parser it takes some megabytes, where there is nothing to read for nothing. (The parser itself cannot be
  // loaded so: of a bundled CommonJS library that way gives no names.)
  const { parseExcludes } = await import('./interface-excludes.ts')
  return parseExcludes(file, text)
}

/** The bytes of `secretkey` in the folder, else of the key given in its place; undefined when there is neither. */
export function readMemberSecret(folder: string, given = ''): Uint8Array | undefined {
  const text = (folder === '' ? undefined : readIfThere(`${folder}/secretkey`)) || given
  return text === '' ? undefined : new TextEncoder().encode(text)
}

/** Looks every few seconds; told of each other secret, and not when the file is gone. @returns how to end it */
export function watchMemberSecret(
  folder: string,
  first: Uint8Array | undefined,
  onChange: (secret: Uint8Array) => void,
  everyMs = 5000,
): () => void {
  let known = first
  const look = (): void => {
    const secret = readMemberSecret(folder)
    if (secret === undefined || (known !== undefined && Buffer.compare(secret, known) === 0)) return
    known = secret
    onChange(secret)
  }
  const timer = setInterval(look, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** By the process's CPU quota, in cores; undefined: none. */
export function timingFor(quota: number | undefined): Timing {
  return quota !== undefined && quota < 1 ? throttled : fast
}

/** Of the cgroup that this process sees as its own, version 2 or 1. */
export function readCpuQuota(root = '/sys/fs/cgroup'): number | undefined {
  const [max, period] = (readIfThere(`${root}/cpu.max`) ?? '').split(/\s/)
  if (max !== undefined && max !== '') return max === 'max' ? undefined : Number(max) / Number(period)
  const quota = Number(readIfThere(`${root}/cpu/cpu.cfs_quota_us`) ?? -1)
  return quota <= 0 ? undefined : quota / Number(readIfThere(`${root}/cpu/cpu.cfs_period_us`) ?? 100_000)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}
