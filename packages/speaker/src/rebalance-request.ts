/**
 * `POST /layer2/rebalance` on the loopback of a node: a person asks that addresses be spread anew (`landfall layer2
 * rebalance`). Any speaker passes it on to the one that coordinates.
 */
import type { HttpAnswer, PostRoutes } from '@landfall/telemetry'
import type { Layer2State } from './layer2/messages.ts'

export const rebalancePath = '/layer2/rebalance'

/** Undefined until there is a speaker to ask. */
export type Rebalance = () => HttpAnswer

export function rebalanceRoute(rebalance: () => Rebalance | undefined): PostRoutes {
  return (path) => (path === rebalancePath ? () => rebalance()?.() ?? notYet : undefined)
}

const notYet: HttpAnswer = { status: 503, body: 'the speaker is starting\n' }

/** What is said to whoever asks; 503: nothing can be done now. */
export function answerRebalance(state: Layer2State, node: string): HttpAnswer {
  const { coordinator, suspended, members, owners } = state
  if (coordinator === '' || suspended)
    return {
      status: 503,
      body: 'this speaker follows no coordinator now: it has heard no other speaker, or lost contact\n',
    }
  const living = members.filter(({ state }) => state === 'serving').map((member) => member.node)
  const counts = new Map([node, ...living].map((name) => [name, 0]))
  for (const owner of owners.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  const who =
    coordinator === node ? `${node} coordinates, and is` : `asked ${coordinator}, which coordinates,`
  const lines = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `  ${name === '' ? '(nobody, or not known here)' : name}: ${count}`)
  const body = [
    `${who} to spread ${owners.size} addresses anew: at most one a second moves, by hand-over`,
    'now announced by',
    ...lines,
  ]
  return { status: 200, body: `${body.join('\n')}\n` }
}
