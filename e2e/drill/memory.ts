/** `memory`: resident memory of the programs at rest, with the example's objects. */
import { renderTable } from '../demo/table.ts'
import type { Lab } from '../lab/index.ts'
import type { Drill } from './drill.ts'
import type { PodObject } from './targets.ts'

const limitMiB = 100
const programs = [
  {
    name: 'controller',
    namespace: 'metallb-system',
    selector: 'component=controller',
    container: 'controller',
  },
  { name: 'speaker', namespace: 'metallb-system', selector: 'component=speaker', container: 'speaker' },
  { name: 'serve', namespace: 'projectcontour', selector: 'app=contour', container: 'contour' },
] as const
/** At rest: nothing grew or shrank by more than this for that long. */
const restMiB = 1
const restMs = 15_000

interface Sample {
  readonly program: string
  readonly pod: string
  readonly rss: number
  readonly peak: number
}

export const memory: Drill = {
  about: `resident memory of controller, speaker and serve at rest, each at most ${limitMiB} MiB`,
  times: 1,
  run: async (lab, { progress }) => {
    const samples = await progress.step('programs come to rest', (note) => atRest(lab, note))
    const table = renderTable([
      ['PROGRAM', 'POD', 'AT REST', 'PEAK', 'LIMIT'],
      ...samples.map(({ program, pod, rss, peak }) => [program, pod, mib(rss), mib(peak), `${limitMiB} MiB`]),
    ])
    const complaints = samples
      .filter(({ rss }) => rss > limitMiB * 2 ** 20)
      .map(({ program, pod, rss }) => `${program} ${pod} holds ${mib(rss)}, more than ${limitMiB} MiB`)
    const missing = programs.filter(({ name }) => !samples.some(({ program }) => program === name))
    return { table, complaints: [...complaints, ...missing.map(({ name }) => `no ${name} runs`)] }
  },
}

async function atRest(lab: Lab, note: (text: string) => void): Promise<readonly Sample[]> {
  let reference = await sample(lab)
  let since = performance.now()
  const look = async () => {
    const now = await sample(lab)
    note(now.map(({ program, rss }) => `${program} ${mib(rss)}`).join(', '))
    if (differs(reference, now)) {
      reference = now
      since = performance.now()
    }
    return performance.now() - since >= restMs && now
  }
  return await lab.waitFor('memory that stays the same', look, { timeoutMs: 300_000, intervalMs: 1000 })
}

async function sample(lab: Lab): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  for (const { name, namespace, selector, container } of programs) {
    for (const { metadata } of await lab.list<PodObject>('pods', { namespace, selector })) {
      const { rss, peak } = lab.pods.memory(namespace, metadata.name, container)
      samples.push({ program: name, pod: metadata.name, rss, peak })
    }
  }
  return samples
}

function differs(a: readonly Sample[], b: readonly Sample[]): boolean {
  if (a.length !== b.length) return true
  return b.some(({ pod, rss }) => {
    const before = a.find((one) => one.pod === pod)
    return before === undefined || Math.abs(before.rss - rss) > restMiB * 2 ** 20
  })
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
