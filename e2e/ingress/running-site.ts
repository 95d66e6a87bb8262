/** A site with hosts on it, whose programs run and answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { threadsCpuMs } from '../nodeless/process-usage.ts'
import type { Bootstrap } from './envoy.ts'
import { each, hostOf, type ProxyOptions, proxyObject } from './objects.ts'
import { ok, Prober } from './prober.ts'
import { IngressSite } from './site.ts'

const calmMs = 40
const mostRestlessMs = 300_000

/** @param all names of the hosts @param bundles their folder, if not of the sources as they are */
export async function startSite(
  all: readonly string[],
  note: (text: string) => void,
  bundles?: string,
  bootstrap?: Bootstrap,
): Promise<IngressSite> {
  const site = await IngressSite.start(bundles)
  try {
    note(`${all.length} hosts are created`)
    await createHosts(site, all)
    note('the programs start')
    site.startServe()
    await site.startEnvoy(bootstrap)
    await answers(site, all.at(-1) ?? '')
    await quiet(site)
  } catch (error) {
    await site.stop()
    throw error
  }
  return site
}

export async function createHosts(
  site: IngressSite,
  all: readonly string[],
  options: ProxyOptions = {},
): Promise<void> {
  await site.objects.createServices(all)
  await each(all, (name) => site.objects.create('proxy', proxyObject(name, options)))
}

/** @returns performance.now() of the first answer */
export async function answers(site: IngressSite, name: string, tls = false): Promise<number> {
  const prober = new Prober(site.entry(tls), hostOf(name))
  try {
    return await prober.until('/', ok, { limitMs: 120_000 })
  } finally {
    prober.close()
  }
}

/** Until serve has nothing to do. @throws when that does not come */
export async function quiet(site: IngressSite): Promise<void> {
  const { pid } = site.serve
  const end = performance.now() + mostRestlessMs
  for (let calm = 0; calm < 2; ) {
    if (performance.now() > end) throw new Error(`serve has no rest after ${mostRestlessMs} ms`)
    const before = threadsCpuMs(pid)
    await sleep(1000)
    calm = threadsCpuMs(pid) - before < calmMs ? calm + 1 : 0
  }
}
