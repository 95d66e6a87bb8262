/** Requests to addresses of the drill, and waiting until they are answered again. */
import type { Lab } from '../../lab/index.ts'
import { type RunningLoad, startLoad } from '../../load/load.ts'

const perSecond = 100
/** Between two requests of a load. */
export const everyMs = 1000 / perSecond

/** New connections, each with 100 ms for all of it. */
export function loadOn(lab: Lab, address: string): RunningLoad {
  return startLoad(lab.client, { address, host: 'drill', perSecond, timeoutMs: 100, lateMs: 100 })
}

/** For what must lose nothing: a lost packet is seen (TCP sends again after 1 s), a pause of this machine is not. */
export function patientLoadOn(lab: Lab, address: string): RunningLoad {
  const load = {
    address,
    host: 'drill',
    perSecond,
    timeoutMs: 900,
    byPackets: true,
    lateMs: 100,
  } as const
  return startLoad(lab.client, load)
}

/** All loads answered in time for a while, from now on. */
export async function calm(
  lab: Lab,
  loads: readonly RunningLoad[],
  forMs: number,
  timeoutMs = 30_000,
): Promise<void> {
  const since = performance.now()
  for (const load of loads) {
    const steady = () =>
      load.tally().answered >= 50 && Math.min(load.tally().quietMs, performance.now() - since) >= forMs
    await lab.waitFor(`steady answers to ${load.from}`, steady, { timeoutMs, intervalMs: 50 })
  }
}

export async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
