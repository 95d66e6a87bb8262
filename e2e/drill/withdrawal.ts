/**
 * `withdrawal`: a Service is deleted that is announced by ARP and BGP; how long until nobody answers for its address
 * and no router has its route, counted from when kubectl is started. The next one has the same address.
 */
import type { KubernetesObject, Lab, Manifest } from '../lab/index.ts'
import { watchArp } from '../load/arp-watch.ts'
import { watchRoute } from '../load/route-watch.ts'
import type { Drill } from './drill.ts'
import { Journal } from './journal.ts'
import { type Row, repeat, type Trial } from './part.ts'
import { judge } from './rows.ts'
import { startTicker } from './ticker.ts'

const limits = { median: 1000, worst: 1000 } as const
/** As long as it is looked whether somebody answers once more. */
const lookMs = 2000
const name = 'withdrawn'

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

/** Of pods of the example. */
const service: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'hello' },
  spec: { type: 'LoadBalancer', selector: { app: 'hello' }, ports: [{ port: 80, targetPort: 8080 }] },
}

export const withdrawal: Drill = {
  about: 'a Service is deleted: the time until nobody answers ARP and no router has its route',
  times: 20,
  run: async (lab, { times, resume, progress }) => {
    const journal = new Journal<Row>('withdrawal', resume)
    const addresses = new Set<string>()
    await repeat(
      { setting: '', progress, journal },
      'withdrawal',
      'ARP and BGP',
      times,
      trialOn(lab, addresses),
    )
    const { table, complaints } = judge(journal.rows())
    const others = addresses.size > 1 ? [`it had ${[...addresses].join(' and ')}`] : []
    return { table, complaints: [...complaints, ...others] }
  },
}

function trialOn(lab: Lab, addresses: Set<string>): Trial {
  return async (note) => {
    note('announcing')
    await lab.apply([service])
    const ip = await lab.waitFor('an address', async () => {
      const made = await lab.get<ServiceObject>('service', name, 'hello')
      return made?.status?.loadBalancer?.ingress?.[0]?.ip
    })
    addresses.add(ip)
    const routes = lab.routers.map((router) => watchRoute(router, ip))
    const arp = watchArp(lab.client, ip)
    const ticker = startTicker()
    try {
      await lab.waitFor('answers to ARP', () => arp.answers.length >= 10)
      for (const router of lab.routers)
        await lab.waitFor(
          `a route on ${router.name}`,
          async () => (await router.nextHops(`${ip}/32`)).length > 0,
        )
      ticker.take()
      note('deleting')
      const started = performance.now()
      await lab.kubectl(['delete', '--raw', `/api/v1/namespaces/hello/services/${name}`])
      const kubectlMs = performance.now() - started
      await new Promise((resolve) => setTimeout(resolve, lookMs))
      const lost = routes.map((route) => route.lostAt())
      const last = Math.max(...lost.map((at) => at ?? started), arp.answers.at(-1)?.at ?? started)
      const kept = lab.routers.filter((_, index) => lost[index] === undefined)
      const complaints = kept.map((router) => `${router.name} still has the route after ${lookMs} ms`)
      const figures = { 'max kubectl ms': Math.round(kubectlMs) }
      return { gapMs: last - started, limits, figures, complaints, lateMs: ticker.take() }
    } finally {
      ticker.stop()
      await Promise.all([arp.stop(), ...routes.map((route) => route.stop())])
    }
  }
}
