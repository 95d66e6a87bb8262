/**
 * `replicas`: the Deployment of `serve`, two replicas as the manifests have it, is rolled over and over under a thousand
 * requests a second. No request may be lost, and a route that changes in the midst of each roll arrives at every Envoy. On
 * a lab of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { externalAddresses, install } from '../../demo/installation.ts'
import { echo, namespaceObject } from '../../demo/objects.ts'
import { lossText, lostOf, startRequests } from '../../ingress/load.ts'
import { hostOf, names, namespace, proxyObject } from '../../ingress/objects.ts'
import { createLab, type Lab } from '../../lab/index.ts'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'
import { changeRoute } from './swap-envoys.ts'

const nodes = 2
const usualTimes = 50
const backend = 'web'
const hosts = names('plain', 12)
const aroundMs = 2000
const workload = ['deployment/contour', '-n', 'projectcontour']

export const replicas: Part = {
  about: 'two replicas of serve are rolled under a thousand requests a second',
  run: async (o) => {
    const times = o.times ?? usualTimes
    await repeat(o, 'replicas', `both replaced ${times} times`, 1, async (note) => {
      const lab = await createLab({ nodes })
      try {
        await install(lab, o.progress)
        return await trial(lab, times, note)
      } finally {
        note('lab down')
        await lab.down()
      }
    })
  },
}

async function trial(lab: Lab, times: number, note: Parameters<Trial>[0]): ReturnType<Trial> {
  await lab.apply([
    namespaceObject(namespace),
    ...echo(namespace, backend, { replicas: 2 }),
    ...hosts.map((name) => ({ ...proxyObject(name, { services: [{ name: backend }] }) })),
  ])
  const { ipv4: address } = await externalAddresses(lab, 'envoy', 'projectcontour')
  for (const name of hosts) {
    const answers = async () =>
      (await lab.client.curl(`http://${address}/health`, { host: hostOf(name) })).status === 200
    await lab.waitFor(`${hostOf(name)} to answer`, answers, { timeoutMs: 60_000 })
  }
  await changeRoute(lab, 'before')
  const load = startRequests(
    {
      address,
      port: 80,
      tls: false,
      hosts: hosts.map(hostOf),
      paths: ['/health'],
      perSecond: 1000,
      connections: 32,
      timeoutMs: 10_000,
    },
    lab.client.host.netns,
  )
  let [longestMs, arrivedMs] = [0, 0]
  try {
    await sleep(aroundMs)
    for (let n = 1; n <= times; n++) {
      note(`${n} of ${times}`)
      const began = performance.now()
      await lab.kubectl(['rollout', 'restart', ...workload])
      const [arrived] = await Promise.all([
        changeRoute(lab, `in roll ${n}`),
        lab.kubectl(['rollout', 'status', ...workload, '--timeout=180s']),
      ])
      longestMs = Math.max(longestMs, performance.now() - began)
      arrivedMs = Math.max(arrivedMs, arrived, await changeRoute(lab, `after roll ${n}`))
    }
    await sleep(aroundMs)
  } finally {
    // Without it the generator would go on, and this process with it.
    await load.stop()
  }
  const result = await load.stop()
  const lost = lostOf(result)
  return {
    figures: {
      rolls: times,
      requests: result.sent,
      lost,
      'max longest answer (ms)': result.longestMs,
      'max a roll (ms)': longestMs,
      'max a changed route (ms)': arrivedMs,
    },
    complaints: lost > 0 ? [`${lost} requests lost: ${lossText(result)}`] : [],
    lateMs: result.tickerLateMs,
  }
}
