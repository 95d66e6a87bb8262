/** The controller's bundle in a process of its own, as its image starts it, with a pod's credentials where a pod has them. */

import type { LimitedGroup } from '../cgroup/limited-group.ts'
import { freePort } from '../nodeless/free-port.ts'
import { PodProcess } from '../nodeless/pod-process.ts'

/** As images/Containerfile sets it for the controller. */
const environment = { MALLOC_MMAP_THRESHOLD_: '8192' }

export interface ProcessOptions {
  readonly name: string
  readonly server: URL
  /** Folder with what a pod finds of its service account. */
  readonly account: string
  readonly bundle: string
  readonly group: LimitedGroup | undefined
}

export class ControllerProcess extends PodProcess {
  readonly name: string
  readonly #healthPort: number
  readonly #metricsPort: number

  private constructor(o: ProcessOptions, healthPort: number, metricsPort: number) {
    const ports = [`--port=${metricsPort}`, `--health-probe-port=${healthPort}`]
    const flags = [`--pod-name=${o.name}`, ...ports]
    const { server, account, group, bundle } = o
    super({ server, account, environment, group: group?.processes ?? '', argv: [bundle, ...flags] })
    this.name = o.name
    this.#healthPort = healthPort
    this.#metricsPort = metricsPort
  }

  static async start(o: ProcessOptions): Promise<ControllerProcess> {
    return new ControllerProcess(o, await freePort(), await freePort())
  }

  /** As Prometheus does. @returns what it says */
  async scrape(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`)).text()
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.#healthPort}/readyz`).catch(() => undefined)
    return answer?.ok ?? false
  }
}
