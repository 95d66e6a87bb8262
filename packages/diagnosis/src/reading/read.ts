/** The rim: one list a kind from the API server, all at once. */
import { ApiError, type Cluster, hasStatus, type RawObject } from '@landfall/kube'
import { describeError } from '@landfall/telemetry'
import type { Gap, Places, Read } from '../observed.ts'
import { type Listed, listedKinds } from './kinds.ts'

/** By `name` of what is listed. */
export type Lists = ReadonlyMap<string, Read<RawObject>>

/** @throws when nothing can be read at all: no API server, nobody that it knows, or who may read none of it */
export async function readLists(cluster: Cluster, places: Places): Promise<Lists> {
  const kinds = listedKinds(places)
  const lists = await Promise.all(kinds.map((listed) => readOne(cluster, listed)))
  const refused = lists.flatMap(({ gap }) => (gap?.why === 'forbidden' ? [gap.message] : []))
  if (refused.length === lists.length) throw new Error(`nothing may be read, as in: ${refused[0] ?? ''}`)
  return new Map(kinds.map(({ name }, index) => [name, lists[index] ?? { items: [] }]))
}

async function readOne(cluster: Cluster, { type, selection }: Listed): Promise<Read<RawObject>> {
  try {
    const { items } = await cluster.list(type, selection)
    const { apiVersion, kind } = type
    return { items: items.map((item) => ({ ...item, apiVersion, kind })) }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 0 || error.status === 401) throw error
    return { items: [], gap: gapOf(error) }
  }
}

function gapOf(error: unknown): Gap {
  const message = describeError(error).replace(/^GET \S+: /, '')
  if (hasStatus(error, 404)) return { why: 'notInstalled', message }
  return { why: hasStatus(error, 403) ? 'forbidden' : 'failed', message }
}
