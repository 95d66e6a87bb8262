// Parts from their projects' official releases. Each file is checked against the checksum that the
// project publishes for it. Where a release host cannot be reached this fails after three seconds,
// once: nothing is tried again. `LANDFALL_RELEASES=off` does not try at all.
import { createHash } from 'node:crypto'
import { chmodSync, createReadStream, createWriteStream, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { run } from '../host/command.ts'
import { type Bundle, binariesOf, versions } from './catalogue.ts'

export interface ReleaseFile {
  readonly url: string
  /** A file whose lines are `<sha256>  <name>`, or the digest alone. */
  readonly checksums: string
  /** Unpacked with tar when set: the member to take. */
  readonly member?: string
  readonly program: string
}

const connectMs = 3000

export function releaseFiles(bundle: Bundle, arch: NodeJS.Architecture): readonly ReleaseFile[] {
  const go = arch === 'arm64' ? 'arm64' : 'amd64'
  const version = versions[bundle]
  if (bundle === 'kubernetes') {
    return binariesOf(bundle).map(({ name }) => {
      const url = `https://dl.k8s.io/release/v${version}/bin/linux/${go}/${name}`
      return { url, checksums: `${url}.sha256`, program: name }
    })
  }
  if (bundle === 'etcd') {
    const base = `https://github.com/etcd-io/etcd/releases/download/v${version}`
    const stem = `etcd-v${version}-linux-${go}`
    return [
      {
        url: `${base}/${stem}.tar.gz`,
        checksums: `${base}/SHA256SUMS`,
        member: `${stem}/etcd`,
        program: 'etcd',
      },
    ]
  }
  const base = `https://github.com/envoyproxy/envoy/releases/download/v${version}`
  const file = `envoy-${version}-linux-${arch === 'arm64' ? 'aarch_64' : 'x86_64'}`
  return [{ url: `${base}/${file}`, checksums: `${base}/checksums.txt.asc`, program: 'envoy' }]
}

export function releasesAllowed(): boolean {
  return process.env['LANDFALL_RELEASES'] !== 'off'
}

/** Puts the program into the directory, checked; throws with the URL in the message. */
export async function fetchRelease(
  file: ReleaseFile,
  directory: string,
  note: (text: string) => void,
): Promise<void> {
  const wanted = findChecksum(await (await open(file.checksums)).text(), file.url)
  if (wanted === undefined) throw new Error(`${file.checksums} has no checksum of ${file.url}`)
  const part = join(directory, `${file.program}.part`)
  const found = await save(await open(file.url), part, (mib) => note(`${file.program} ${mib} MiB`))
  if (found !== wanted) {
    rmSync(part)
    throw new Error(`${file.url} has SHA-256 ${found}, its project says ${wanted}`)
  }
  const target = join(directory, file.program)
  if (file.member === undefined) renameSync(part, target)
  else {
    await run(['tar', '-xzf', part, '-C', directory, '--strip-components=1', file.member])
    rmSync(part)
  }
  chmodSync(target, 0o755)
}

/** The digest for the file that the URL ends with; a text that is one bare digest stands for any file. */
export function findChecksum(text: string, url: string): string | undefined {
  const name = url.slice(url.lastIndexOf('/') + 1)
  const bare = /^\s*([0-9a-f]{64})\s*$/.exec(text)
  if (bare !== null) return bare[1]
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64})\s+\*?(?:\.\/)?(\S+)\s*$/.exec(line)
    if (match?.[2] === name) return match[1]
  }
  return undefined
}

async function open(url: string): Promise<Response> {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new Error(`no answer within ${connectMs / 1000} s`)),
    connectMs,
  )
  try {
    const answer = await fetch(url, { signal: controller.signal })
    if (!answer.ok) throw new Error(`answered ${answer.status}`)
    return answer
  } catch (e) {
    const cause = e instanceof Error && e.cause instanceof Error ? e.cause : e
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause: e })
  } finally {
    clearTimeout(timer)
  }
}

async function save(answer: Response, path: string, note: (mib: number) => void): Promise<string> {
  if (answer.body === null) throw new Error(`${answer.url} answered without a body`)
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      note(Math.round(bytes / 2 ** 20))
      done(undefined, chunk)
    },
  })
  await pipeline(Readable.from(answer.body), count, createWriteStream(path))
  return hash.digest('hex')
}

/** SHA-256 of a file, in hexadecimal. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
