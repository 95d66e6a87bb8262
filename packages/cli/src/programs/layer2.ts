/**
 * `layer2 rebalance`: asks the speaker of this node, on its loopback, to have the addresses spread anew. Whoever may
 * `kubectl exec` into a speaker's pod may ask: the speakers need no right for it.
 */
import { rebalancePath } from '@landfall/speaker/rebalance-request'
import { describeError } from '@landfall/telemetry'
import { Command } from 'commander'
import { addAll, portFlag } from '../flags.ts'

const timeoutMs = 5000
const inPod = 'kubectl -n metallb-system exec daemonset/speaker -- landfall layer2 rebalance'

export function layer2Command(): Command {
  const rebalance = new Command('rebalance')
    .description(
      'spread addresses evenly over the nodes, one a second, by hand-over; run it in a pod of the speaker',
    )
    .addHelpText('after', `\nFrom anywhere: ${inPod}`)
  addAll(rebalance, portFlag('health-probe-port', 'port of the speaker on loopback', 17472))
  rebalance.action(async ({ healthProbePort }: { readonly healthProbePort: number }) => {
    process.stdout.write(await askToRebalance(healthProbePort))
  })
  return new Command('layer2')
    .description('addresses that are announced by ARP and NDP')
    .addCommand(rebalance)
}

/** @returns what the speaker does about it. @throws when there is none, or it can do nothing now */
export async function askToRebalance(port: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs)
  const url = `http://127.0.0.1:${port}${rebalancePath}`
  const answer = await fetch(url, { method: 'POST', signal }).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new Error(
      `no speaker answers on port ${port} of this loopback (${describeError(cause)}); use: ${inPod}`,
    )
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`nothing was done (${answer.status}): ${text.trim()}`)
  return text
}
