/**
 * `swap`: Contour, on its own manifests and serving, gives way to ours as docs/swap.md says, under 500 requests a second:
 * first its control plane, while the Envoys stay as Contour's bootstrap started them, then their pods. No request may be
 * lost, and after each step a changed route arrives at every Envoy. On a lab of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createLab, type Lab } from '../../lab/index.ts'
import { contourCatalogue } from '../../lab/parts/catalogue.ts'
import { resolveParts } from '../../lab/parts/resolve.ts'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'
import { changeRoute, sumOf } from './swap-envoys.ts'
import { startSwapLoad } from './swap-load.ts'
import { contourName, provideContour, replaceControlPlane, replaceEnvoys } from './swap-site.ts'

/** One, so that its address moves to no other node: that is for other drills. */
const nodes = 1
const aroundMs = 5000
const mostTold = 5
const rejected = /\.update_rejected$/
const changedListeners = /^listener_manager\.(listener_modified|listener_in_place_updated)$/

export const swap: Part = {
  about: 'Contour gives way to ours: its control plane, then the pods of Envoy',
  run: async (o) => {
    await resolveParts(o.progress, contourCatalogue)
    await repeat(o, 'swap', `of ${contourName}`, o.times ?? 1, async (note) => {
      const lab = await createLab({ nodes })
      try {
        return await trial(lab, note)
      } finally {
        note('lab down')
        await lab.down()
      }
    })
  },
}

interface Step {
  readonly name: string
  /** When it began, by the clock. */
  readonly at: number
  readonly tookMs: number
  /** Until every Envoy showed a route that was changed after it. */
  readonly arrivedMs: number
}

async function trial(lab: Lab, note: Parameters<Trial>[0]): ReturnType<Trial> {
  const address = await provideContour(lab, note)
  await changeRoute(lab, 'Contour')
  const load = startSwapLoad(lab, address)
  const step = async (name: string, work: () => Promise<void>): Promise<Step> => {
    note(name)
    const began = performance.now()
    await work()
    const tookMs = performance.now() - began
    const arrivedMs = await changeRoute(lab, name)
    await sleep(aroundMs)
    return { name, at: performance.timeOrigin + began, tookMs, arrivedMs }
  }
  try {
    await sleep(aroundMs)
    const before = { refused: await sumOf(lab, rejected), listeners: await sumOf(lab, changedListeners) }
    const first = await step('our control plane', () => replaceControlPlane(lab))
    const refused = (await sumOf(lab, rejected)) - before.refused
    const listeners = (await sumOf(lab, changedListeners)) - before.listeners
    const second = await step('our Envoys', () => replaceEnvoys(lab))
    const anew = await sumOf(lab, rejected)
    const { sent, lost, losses, closed, longestMs, lateMs } = await load.stop()
    const steps = [first, second]
    return {
      figures: {
        requests: sent,
        lost,
        'kept connections closed': closed,
        'listeners changed by our control plane': listeners,
        'max longest answer (ms)': longestMs,
        ...Object.fromEntries(
          steps.flatMap(({ name, tookMs, arrivedMs }) => [
            [`max ${name} (ms)`, tookMs],
            [`max a route at ${name} (ms)`, arrivedMs],
          ]),
        ),
      },
      complaints: [
        ...losses.map(({ why, at }) => `lost ${why}; ${whenOf(steps, at)}`),
        ...(refused + anew > 0
          ? [`of our control plane's updates Envoys refused ${refused}, and ours ${anew}`]
          : []),
      ],
      lateMs,
    }
  } finally {
    // Without it the generators would go on, and this process with them.
    await load.stop()
  }
}

/** The first and the last that are known, by the step that they belong to. */
function whenOf(steps: readonly Step[], at: readonly number[]): string {
  const told = [...at.slice(0, mostTold), ...at.slice(mostTold).slice(-1)]
  const texts = told.map((one) => {
    const last = steps.findLast((step) => step.at <= one)
    return last === undefined ? 'before both' : `${Math.round(one - last.at)} ms into "${last.name}"`
  })
  return texts.join(', ')
}
