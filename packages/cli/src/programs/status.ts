/** `status`: what there is, and what is wrong with it, on one screen. Exit code 1: something is; 2: it cannot be told. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '@landfall/kube'
import { Command, Option } from 'commander'
import {
  type DiagnosisFlags,
  diagnosisCommand,
  jsonText,
  openForDiagnosis,
  painterFor,
  readView,
  unlessNoAccess,
} from '../diagnosis.ts'
import { stopSignal, wholeNumber } from '../flags.ts'

interface Flags extends DiagnosisFlags {
  readonly watch?: number | true
}

const watchSeconds = 2
const clear = '\u001B[2J\u001B[H'

export function statusCommand(): Command {
  const command = diagnosisCommand(
    new Command('status').description(
      'what there is and what is wrong with it: pools, Services, BGP sessions, Envoys, refused objects; exit code 1 when something is wrong',
    ),
  )
  command.addOption(
    new Option(
      '-w, --watch [seconds]',
      `look again and again, every ${watchSeconds} seconds unless given`,
    ).argParser(wholeNumber(1)),
  )
  command.addOption(new Option('--no-live', 'do not ask Envoys and speakers how they are'))
  return command.action((flags: Flags) => unlessNoAccess(() => status(flags)))
}

async function status(flags: Flags): Promise<void> {
  const cluster = await openForDiagnosis(flags, 'status')
  try {
    if (flags.watch === undefined) {
      const { text, ok } = await look(cluster, flags)
      process.stdout.write(text)
      process.exitCode = ok ? 0 : 1
      return
    }
    await watch(cluster, flags, (flags.watch === true ? watchSeconds : flags.watch) * 1000)
  } finally {
    cluster.close()
  }
}

/** Until it is interrupted; an API server that goes away meanwhile is said, and tried again. */
async function watch(cluster: Cluster, flags: Flags, everyMs: number): Promise<void> {
  const signal = stopSignal()
  while (!signal.aborted) {
    const { text, ok } = await look(cluster, flags).catch((error: unknown) => ({
      text: `${error instanceof Error ? error.message : String(error)}\n`,
      ok: false,
    }))
    process.stdout.write(process.stdout.isTTY ? `${clear}${text}` : text)
    process.exitCode = ok ? 0 : 1
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

async function look(
  cluster: Cluster,
  flags: Flags,
): Promise<{ readonly text: string; readonly ok: boolean }> {
  const { statusOf, statusText } = await import('@landfall/diagnosis')
  const found = statusOf(await readView(cluster, flags))
  const text =
    flags.output === 'json'
      ? jsonText(found, flags.watch === undefined)
      : statusText(found, await painterFor(process.stdout))
  return { text, ok: found.ok }
}
