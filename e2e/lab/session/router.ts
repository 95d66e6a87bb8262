// A router as tests use it: asks its FRR, and gives it more configuration.
import { join } from 'node:path'
import type { Parts } from '../parts/resolve.ts'
import { vtysh } from '../routers/frr.ts'
import {
  type BfdPeer,
  type BgpNeighbor,
  type BgpRoute,
  type NextHop,
  parseBfdPeers,
  parseNeighbors,
  parseRoutes,
} from '../routers/frr-json.ts'
import type { Host } from '../topology/topology.ts'
import { LabHost } from './host.ts'

export class LabRouter extends LabHost {
  readonly #directory: string

  constructor(host: Host, parts: Parts, routersDirectory: string) {
    super(host, parts)
    this.#directory = join(routersDirectory, host.name)
  }

  /** The routes of both families that BGP gave and that are in use, sorted by prefix. */
  async routes(): Promise<readonly BgpRoute[]> {
    const v4 = await this.#vtysh('show ip route bgp json')
    const v6 = await this.#vtysh('show ipv6 route bgp json')
    return [...parseRoutes(v4), ...parseRoutes(v6)]
  }

  /** The next hops in use for exactly this prefix; empty without a route. */
  async nextHops(prefix: string): Promise<readonly NextHop[]> {
    return (await this.routes()).find((r) => r.prefix === prefix)?.nextHops ?? []
  }

  async bgpNeighbors(): Promise<readonly BgpNeighbor[]> {
    return parseNeighbors(await this.#vtysh('show bgp neighbors json'))
  }

  async bfdPeers(): Promise<readonly BfdPeer[]> {
    return parseBfdPeers(await this.#vtysh('show bfd peers json'))
  }

  /** Any show command with `json` at its end, parsed. */
  async show(command: string): Promise<unknown> {
    return JSON.parse(await this.#vtysh(`${command} json`))
  }

  /** Lines of configuration, as below `configure terminal`. */
  async configure(lines: readonly string[]): Promise<void> {
    await this.#vtysh('configure terminal', ...lines, 'end')
  }

  async #vtysh(...commands: readonly string[]): Promise<string> {
    return await vtysh({ router: this.host, directory: this.#directory, programs: this.parts }, commands)
  }
}
