/** What the programs asked of the API server, what of it their roles refused, and whether they said so. */
import { type AskedRequest, type Lab, readAudit } from '../lab/index.ts'
import { system } from './objects.ts'

const users = ['controller', 'speaker'].map((name) => `system:serviceaccount:${system}:${name}`)

export function requestsOf(lab: Lab, since: Date): readonly AskedRequest[] {
  return readAudit(lab.id).filter(({ user, at }) => users.includes(user) && at >= since)
}

/** `speaker watch pods` */
export function wordsOf({ user, verb, resource }: AskedRequest): string {
  return `${user.split(':').at(-1)} ${verb} ${resource}`
}

/** Asked together, of several objects of a kind: one refusal. */
const togetherMs = 250

/** Each refusal (403) once, in alphabetical order, and how often the pod that asked most often came again. */
export function refusalsOf(lab: Lab, since: Date): ReadonlyMap<string, number> {
  const refused = requestsOf(lab, since).filter(({ code }) => code === 403)
  const byWords = [...Map.groupBy(refused, wordsOf)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return new Map(
    byWords.map(([words, all]) => {
      const ofPods = [...Map.groupBy(all, ({ pod }) => pod).values()]
      return [words, Math.max(...ofPods.map(timesOf))]
    }),
  )
}

function timesOf(asked: readonly AskedRequest[]): number {
  const at = asked.map((request) => request.at.getTime()).toSorted((a, b) => a - b)
  return at.filter((ms, i) => i === 0 || ms - (at[i - 1] ?? 0) > togetherMs).length
}

/** What a pod's log says of refusals, a text for each line: `watch pods`. */
export function refusalsSaid(log: string): readonly string[] {
  const pattern = /cannot (\w+) resource \\"([a-z0-9/]+)\\"/
  return log.split('\n').flatMap((line) => {
    const [, verb, resource] = pattern.exec(line) ?? []
    return verb === undefined ? [] : [`${verb} ${resource}`]
  })
}
