/** What changes behind a host while it is asked a thousand times a second: each is done over and over under one load. */
import { createServer, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { proxyObject, serviceObject, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import type { IngressSite } from '../../ingress/site.ts'

/** @param n counts the repetitions; what it makes anew has a name of its own */
export type Move = (site: IngressSite, host: string, n: number) => Promise<void>

const walk = [0, 10, 25, 50, 75, 90, 100]
const stepMs = 100
/** A pod that is asked to end goes on serving so long, as a preStop hook has it. */
const lastServiceMs = 1000
const podPort = 9001

export const moves: Readonly<Record<string, Move>> = {
  'to a new Service, in one apply': async (site, host, n) => {
    const name = freshName(host, n)
    await site.server.apply(serviceObject(name), sliceObject(name), proxyTo(host, name))
    await sleep(stepMs)
    await removeBefore(site, host, n)
  },
  'to a new Service, all at once': async (site, host, n) => {
    const { objects } = site
    const name = freshName(host, n)
    await Promise.all([
      objects.replace('proxy', proxyTo(host, name)),
      objects.create('slice', sliceObject(name)),
      objects.create('service', serviceObject(name)),
    ])
    await sleep(stepMs)
    await removeBefore(site, host, n)
  },
  'to a new Service, in the wrong order': async (site, host, n) => {
    const { objects } = site
    const name = freshName(host, n)
    await objects.replace('proxy', proxyTo(host, name))
    await objects.create('slice', sliceObject(name))
    await objects.create('service', serviceObject(name))
    await sleep(stepMs)
    await removeBefore(site, host, n)
  },
  'the old Service is deleted at once': async (site, host, n) => {
    const name = freshName(host, n)
    await site.objects.createServices([name])
    await site.objects.replace('proxy', proxyTo(host, name))
    await removeBefore(site, host, n)
    await sleep(stepMs)
  },
  'weights walk from 0 to 100': async (site, host, n) => {
    const [from, to] = [n === 0 ? host : freshName(host, n - 1), freshName(host, n)]
    await site.objects.createServices([to])
    for (const weight of walk) {
      const services = [
        { name: from, weight: 100 - weight },
        { name: to, weight },
      ]
      await site.objects.replace('proxy', proxyObject(host, { services }))
      await sleep(stepMs)
    }
    await site.objects.replace('proxy', proxyTo(host, to))
    await removeBefore(site, host, n)
    await sleep(stepMs)
  },
  'pods are replaced': replacePods,
}

/** Of each pod in turn: another is there, it ends, it is gone from the slice, and its process ends. */
async function replacePods(site: IngressSite, host: string, n: number): Promise<void> {
  const [before, after] = [podAddress(100 + n), podAddress(101 + n)]
  const old = pods.get(before) ?? (await startPod(before))
  const show = (...endpoints: Parameters<typeof sliceObject>[1] & object) =>
    site.objects.replace('slice', sliceObject(host, endpoints, podPort))
  if (n === 0) {
    await show({ ip: before })
    await sleep(stepMs)
  }
  await startPod(after)
  await show({ ip: before }, { ip: after })
  const ending = sleep(lastServiceMs)
  await show({ ip: before, state: 'terminating' }, { ip: after })
  await sleep(lastServiceMs / 2)
  await show({ ip: after })
  await ending
  old.close()
  old.closeAllConnections()
  pods.delete(before)
}

/** By address. */
const pods = new Map<string, Server>()

function startPod(ip: string): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => void response.end(ip))
  pods.set(ip, server)
  return new Promise((resolve) => server.listen(podPort, ip, () => resolve(server)))
}

export function endPods(): void {
  for (const pod of pods.values()) {
    pod.close()
    pod.closeAllConnections()
  }
  pods.clear()
}

function freshName(host: string, n: number): string {
  return `${host}-${n}`
}

function proxyTo(host: string, service: string) {
  return proxyObject(host, { services: [{ name: service }] })
}

async function removeBefore(site: IngressSite, host: string, n: number): Promise<void> {
  await site.objects.deleteServices([n === 0 ? host : freshName(host, n - 1)])
}
