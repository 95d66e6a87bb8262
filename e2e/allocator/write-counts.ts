/** How many writes an API server has answered, by kind of object, from its own metrics. */
import type { Cluster } from '@landfall/kube'

export type WriteCounts = ReadonlyMap<string, number>

const writes = ['POST', 'PUT', 'PATCH', 'DELETE']

/** `PUT services/status` and the like. */
export async function writeCounts(cluster: Cluster): Promise<WriteCounts> {
  const signal = AbortSignal.timeout(10_000)
  let text = ''
  for await (const piece of await cluster.open({ method: 'GET', path: '/metrics', signal }))
    text += String(piece)
  const counts = new Map<string, number>()
  for (const [, labels = '', count = ''] of text.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    if (!writes.includes(label('verb'))) continue
    const name = [label('resource'), label('subresource')].filter((part) => part !== '').join('/')
    const id = `${label('verb')} ${name}`
    counts.set(id, (counts.get(id) ?? 0) + Number(count))
  }
  return counts
}

export function since(before: WriteCounts, after: WriteCounts, pick: (name: string) => boolean): number {
  let sum = 0
  for (const [name, count] of after) if (pick(name)) sum += count - (before.get(name) ?? 0)
  return sum
}
