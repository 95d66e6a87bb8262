// What a node's kubelet leaves on the machine, found by its state directory alone: for the kubelet
// itself when it starts over, and for `lab down` after a crash.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeLimits } from './container/processor-limit.ts'
import { removePodNamespaces } from './network/pod-network.ts'
import { processesBelow, signal, startTimeOf } from './process/identity.ts'
import { unmountBelow } from './process/mounts.ts'

interface Traces {
  readonly pid: number
  readonly startTime: string
  readonly namespacePrefix: string
  readonly limitPrefix: string
}

const KILL_WAIT_MS = 3000

/** Writes down who runs here, before anything else is made. */
export function recordKubelet(
  stateDir: string,
  traces: Pick<Traces, 'namespacePrefix' | 'limitPrefix'>,
): void {
  const own = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }
  writeFileSync(tracesPath(stateDir), JSON.stringify({ ...own, ...traces }))
}

/** Every process of the node's containers, for freezing a node. */
export function containerProcesses(stateDir: string): readonly number[] {
  return processesBelow(join(stateDir, 'work'))
}

/**
 * Ends the kubelet and its containers with SIGKILL and removes the pods' namespaces and files; logs stay.
 * Does nothing where nothing is left, and may be called in any namespace.
 */
export async function cleanupNode(stateDir: string): Promise<void> {
  const traces = readTraces(stateDir)
  if (traces === undefined) return
  if (traces.pid !== process.pid && startTimeOf(traces.pid) === traces.startTime)
    signal(traces.pid, 'SIGKILL')
  const until = Date.now() + KILL_WAIT_MS
  for (let left = containerProcesses(stateDir); left.length > 0 && Date.now() < until; ) {
    for (const pid of left) signal(pid, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 20))
    left = containerProcesses(stateDir)
  }
  await removePodNamespaces(traces.namespacePrefix)
  await removeLimits(traces.limitPrefix)
  unmountBelow(join(stateDir, 'work'))
  rmSync(join(stateDir, 'work'), { recursive: true, force: true })
  rmSync(tracesPath(stateDir), { force: true })
}

function tracesPath(stateDir: string): string {
  return join(stateDir, 'kubelet-traces.json')
}

function readTraces(stateDir: string): Traces | undefined {
  const path = tracesPath(stateDir)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Traces) : undefined
}
