// The pods' containers as processes: what they wrote, and signals to them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, sendSignal } from '../host/process-table.ts'
import { type ContainerState, containerLogPath, containerStatePath } from '../kubelet-config.ts'
import type { LabPaths } from '../state/lab-state.ts'

export interface ContainerPlace {
  readonly node: string
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

export class LabPods {
  readonly #paths: LabPaths

  constructor(paths: LabPaths) {
    this.#paths = paths
  }

  /** Containers that some node has state of, running or not. */
  list(): readonly ContainerPlace[] {
    const entries = (...below: string[]): readonly string[] => {
      const directory = join(this.#paths.nodes, ...below)
      return existsSync(directory) ? readdirSync(directory).toSorted() : []
    }
    return entries().flatMap((node) =>
      entries(node, 'pods').flatMap((namespace) =>
        entries(node, 'pods', namespace).flatMap((pod) =>
          entries(node, 'pods', namespace, pod)
            .filter((file) => file.endsWith('.json'))
            .map((file) => ({ node, namespace, pod, container: file.slice(0, -'.json'.length) })),
        ),
      ),
    )
  }

  /** The container's process; undefined when it does not run now. */
  process(namespace: string, pod: string, container: string): ContainerState | undefined {
    const place = this.#find(namespace, pod, container)
    if (place === undefined) return undefined
    const path = containerStatePath(join(this.#paths.nodes, place.node), namespace, pod, container)
    try {
      const state: ContainerState = JSON.parse(readFileSync(path, 'utf8'))
      return isAlive(state) ? state : undefined
    } catch {
      return undefined // just removed
    }
  }

  /** Sends a signal to the container's main process, which gets it though it is pid 1 to Kubernetes. */
  kill(namespace: string, pod: string, container: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    const state = this.process(namespace, pod, container)
    if (state === undefined) throw new Error(`container ${namespace}/${pod}/${container} does not run`)
    sendSignal(state.pid, signal)
  }

  logs(namespace: string, pod: string, container: string): string {
    const place = this.#find(namespace, pod, container)
    if (place === undefined) throw new Error(`no node has a container ${namespace}/${pod}/${container}`)
    const path = containerLogPath(join(this.#paths.nodes, place.node), namespace, pod, container)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** Resident memory now and at its peak, in bytes. */
  memory(namespace: string, pod: string, container: string): { readonly rss: number; readonly peak: number } {
    const state = this.process(namespace, pod, container)
    if (state === undefined) throw new Error(`container ${namespace}/${pod}/${container} does not run`)
    const text = readFileSync(`/proc/${state.pid}/status`, 'utf8')
    const kib = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
    return { rss: kib('VmRSS') * 1024, peak: kib('VmHWM') * 1024 }
  }

  #find(namespace: string, pod: string, container: string): ContainerPlace | undefined {
    return this.list().find((p) => p.namespace === namespace && p.pod === pod && p.container === container)
  }
}
