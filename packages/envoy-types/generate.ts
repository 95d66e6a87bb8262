/**
 * Generates the types of the Envoy API into `src/gen`.
 *
 * In: the protos inside `@grpc/grpc-js-xds` (about Envoy 1.33), the patches for newer fields, our own
 * protos for newer messages. Out: one `*_pb.ts` a proto, by protoc-gen-es. `validate.rules` are kept:
 * tests check our messages against them. A stamp of the inputs makes a second run a matter of milliseconds.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { applyPatch, patches } from './generate/patches.ts'
import { roots } from './generate/roots.ts'

const here = import.meta.dirname
const output = join(here, 'src', 'gen')
const stampFile = join(output, '.stamp')
const bin = join(here, 'node_modules', '.bin')

function packageDirectory(name: string): string {
  return realpathSync(join(here, 'node_modules', name))
}

function stamp(): string {
  const hash = createHash('sha256')
  for (const name of ['@grpc/grpc-js-xds', '@bufbuild/buf', '@bufbuild/protoc-gen-es']) {
    hash.update(readFileSync(join(packageDirectory(name), 'package.json')))
  }
  hash.update(readFileSync(import.meta.filename))
  hash.update(JSON.stringify([roots, patches]))
  for (const root of roots) {
    const own = join(here, 'protos', root)
    if (existsSync(own)) hash.update(readFileSync(own))
  }
  return hash.digest('hex')
}

function template(): string {
  return JSON.stringify({
    version: 'v2',
    clean: true,
    plugins: [
      {
        local: join(bin, 'protoc-gen-es'),
        out: output,
        include_imports: true,
        // One plugin process instead of one a directory: 1 s instead of 15.
        strategy: 'all',
        opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
      },
    ],
  })
}

/** Returns 'fresh' when nothing had to be done. `force` generates in any case. */
export function generateEnvoyTypes(options: { readonly force?: boolean } = {}): 'fresh' | 'generated' {
  const wanted = stamp()
  const found = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : ''
  if (found === wanted && options.force !== true) return 'fresh'

  const work = mkdtempSync(join(tmpdir(), 'landfall-envoy-types-'))
  try {
    const dependencies = join(packageDirectory('@grpc/grpc-js-xds'), 'deps')
    for (const tree of ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate']) {
      cpSync(join(dependencies, tree), work, { recursive: true })
    }
    cpSync(join(here, 'protos'), work, { recursive: true })
    for (const patch of patches) {
      const file = join(work, patch.file)
      writeFileSync(file, applyPatch(readFileSync(file, 'utf8'), patch))
    }
    const paths = roots.flatMap((root) => ['--path', join(work, root)])
    const environment = {
      ...process.env,
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    }
    execFileSync(join(bin, 'buf'), ['generate', work, ...paths, '--template', template()], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: environment,
    })
    writeFileSync(stampFile, wanted)
    return 'generated'
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (import.meta.main) process.stdout.write(`envoy types: ${generateEnvoyTypes()}\n`)
