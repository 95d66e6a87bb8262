// A node as tests use it: besides what any host does it can stop, go on, and lose its LAN.

import { netnsInodes } from '../host/netns.ts'
import { processesOf, sendSignal } from '../host/process-table.ts'
import { cutHost, restoreHost } from '../network/network.ts'
import type { Parts } from '../parts/resolve.ts'
import type { Host, Topology } from '../topology/topology.ts'
import { LabHost } from './host.ts'

export class LabNode extends LabHost {
  readonly #topology: Topology

  constructor(host: Host, parts: Parts, topology: Topology) {
    super(host, parts)
    this.#topology = topology
  }

  /** Stops every process of the node and its pods. Its kernel goes on: it forwards, and answers for its own addresses. */
  async freeze(): Promise<void> {
    // A process may start another between the look and the signal: look again until nothing is new.
    const stopped = new Set<number>()
    while (true) {
      const fresh = this.#processes().filter((pid) => !stopped.has(pid))
      if (fresh.length === 0) return
      for (const pid of fresh) {
        stopped.add(pid)
        sendSignal(pid, 'SIGSTOP')
      }
    }
  }

  async thaw(): Promise<void> {
    for (const pid of this.#processes()) sendSignal(pid, 'SIGCONT')
  }

  /** Pulls the LAN cable; `silent` keeps the carrier, so that the node does not see it. */
  async cut(o: { readonly silent?: boolean } = {}): Promise<void> {
    await cutHost(this.#topology, this.host, o.silent ?? false)
  }

  async restore(): Promise<void> {
    await restoreHost(this.#topology, this.host)
  }

  #processes(): readonly number[] {
    const own = netnsInodes(this.host.netns)
    const inodes = new Map(
      [...own].filter(([, name]) => name === this.host.netns || name.startsWith(`${this.host.netns}-`)),
    )
    return processesOf({ inodes })
  }
}
