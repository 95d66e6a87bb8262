/** Runs a guide's commands by a shell on a lab, in a copy of the guide's folder, and tells where they print something else. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandResult, Lab } from '../lab/index.ts'
import { labPaths } from '../lab/state/lab-state.ts'
import { type Command, isPrinted, readTranscript } from './transcript.ts'

const root = join(import.meta.dirname, '..', '..')
/** What a person looks at again until it is so. */
const isLook = /^(kubectl (-n \S+ )?(get|logs)|curl|(bin\/)?landfall) /

/** Milliseconds since the epoch. */
interface Times {
  readonly typedMs: number
  /** When it had printed what the guide prints. */
  readonly printedMs: number
}

export class GuideScript {
  readonly #lab: Lab
  readonly #folder: string
  readonly #guide: string
  readonly #times = new Map<string, Times>()

  /** @param guide its folder below `e2e/seeds`; undefined: a document of `docs`, whose reader has a checkout */
  constructor(lab: Lab, guide?: string) {
    this.#lab = lab
    this.#folder = mkdtempSync(join(tmpdir(), 'landfall-guide-'))
    this.#guide = join(this.#folder, 'guide')
    if (guide === undefined) mkdirSync(this.#guide)
    else cpSync(join(import.meta.dirname, guide), this.#guide, { recursive: true })
    for (const name of ['manifests', 'examples']) symlinkSync(join(root, name), join(this.#guide, name))
    symlinkSync(join(this.#folder, 'bin'), join(this.#guide, 'bin'))
    // As the guides call it.
    for (const name of ['metallb.yaml', 'metallb.yml'])
      cpSync(join(root, 'manifests', 'metallb.yaml'), join(this.#guide, name))
    const { bundles } = labPaths(lab.id)
    const { parts } = lab
    const client = `nsenter --net=/run/netns/${lab.client.host.netns}`
    this.#command('kubectl', `exec ${parts.kubectl} --cache-dir=${this.#folder}/cache "$@"`)
    this.#command('lokoctl', `exec ${process.execPath} ${join(bundles, 'lokoctl.mjs')} "$@"`)
    this.#command('landfall', `exec ${client} ${process.execPath} ${join(bundles, 'landfall.mjs')} "$@"`)
    this.#command('curl', `exec ${client} ${parts.curl} --noproxy '*' -m 5 "$@"`)
  }

  end(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** From top to bottom. @returns what the first command prints that goes on to print something else; '' for none */
  async run(): Promise<string> {
    for (const command of readTranscript(readFileSync(join(this.#guide, 'guide.txt'), 'utf8'))) {
      const difference = await this.#differenceOf(command)
      if (difference !== '') return difference
    }
    return ''
  }

  /** One command more. @returns what it goes on to print instead; '' where it ends well and prints that */
  async look(line: string, prints: readonly string[] = ['...']): Promise<string> {
    return await this.#differenceOf({ line, prints })
  }

  /** Of the first command that begins so. */
  timeOf(command: string): Times {
    const found = [...this.#times].find(([line]) => line.startsWith(command))
    if (found === undefined) throw new Error(`nothing was printed for ${command}`)
    return found[1]
  }

  async shell(line: string): Promise<CommandResult> {
    const { kubeconfig } = labPaths(this.#lab.id)
    const env = {
      PATH: `${this.#folder}/bin:${process.env['PATH']}`,
      KUBECONFIG: kubeconfig,
      REGISTRY: 'registry.example.com:5000',
    }
    return await this.#lab.controlPlane.tryRun(['sh', '-c', line], { cwd: this.#guide, env })
  }

  async #differenceOf(command: Command): Promise<string> {
    const { line, prints } = command
    const typedMs = Date.now()
    let last = await this.shell(line)
    const fits = () => last.code === 0 && isPrinted(command, last.stdout)
    if (isLook.test(line) && !fits()) {
      await this.#lab
        .waitFor(line, async () => {
          last = await this.shell(line)
          return fits()
        })
        .catch(() => 'said below')
    }
    if (fits()) {
      if (!this.#times.has(line)) this.#times.set(line, { typedMs, printedMs: Date.now() })
      return ''
    }
    const printed = `${last.stdout}${last.stderr}`
    return `$ ${line}\nends with ${last.code} and prints\n${printed}\nand not\n${prints.join('\n')}`
  }

  #command(name: string, text: string): void {
    const file = join(this.#folder, 'bin', name)
    mkdirSync(join(this.#folder, 'bin'), { recursive: true })
    writeFileSync(file, `#!/bin/sh\n${text}\n`)
    chmodSync(file, 0o755)
  }
}
