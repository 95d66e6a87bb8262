// A host of the lab as tests use it: runs programs in its network namespace, by argument lists.
import { isIPv6 } from 'node:net'
import { type CommandOptions, type CommandResult, run, tryRun } from '../host/command.ts'
import { inNetns } from '../host/netns.ts'
import type { Parts } from '../parts/resolve.ts'
import type { Host } from '../topology/topology.ts'
import { type CurlAnswer, CurlError, type CurlOptions, curlArguments, parseCurl } from './curl.ts'
import { type Neighbor, parseAnswers, parseNeighborTable } from './link-tools.ts'

export class LabHost {
  readonly host: Host
  protected readonly parts: Parts

  constructor(host: Host, parts: Parts) {
    this.host = host
    this.parts = parts
  }

  get name(): string {
    return this.host.name
  }
  get ipv4(): string {
    return this.host.ipv4
  }
  get ipv6(): string {
    return this.host.ipv6
  }

  /** The program's stdout; throws CommandError for an exit code other than 0. */
  async run(argv: readonly string[], o?: CommandOptions): Promise<string> {
    return await run(inNetns(this.host.netns, argv), o)
  }

  async tryRun(argv: readonly string[], o?: CommandOptions): Promise<CommandResult> {
    return await tryRun(inNetns(this.host.netns, argv), o)
  }

  /** Throws CurlError when no HTTP answer came; any status is an answer. */
  async curl(url: string, o: CurlOptions = {}): Promise<CurlAnswer> {
    const input = o.body === undefined ? {} : { input: o.body }
    const { code, stdout, stderr } = await this.tryRun([this.parts.curl, ...curlArguments(url, o)], input)
    if (code !== 0) throw new CurlError(url, code, stderr)
    return parseCurl(stdout)
  }

  /**
   * Asks the LAN who has an address, by ARP or (for IPv6) neighbour solicitation.
   * @returns the MAC addresses that answered, repeats kept
   */
  async arping(
    ip: string,
    o: { readonly count?: number; readonly interface?: string } = {},
  ): Promise<readonly string[]> {
    const on = o.interface ?? this.host.interfaces[0]?.name ?? 'eth0'
    const count = `${o.count ?? 1}`
    const argv = isIPv6(ip)
      ? [this.parts.ndisc6, '-m', '-n', '-r', count, '-w', '1000', ip, on]
      : [this.parts.arping, '-c', count, '-w', `${(o.count ?? 1) + 1}`, '-C', count, '-i', on, ip]
    const { stdout } = await this.tryRun(argv, { timeoutMs: 5000 + 1500 * (o.count ?? 1) })
    return parseAnswers(stdout)
  }

  async neighbors(): Promise<readonly Neighbor[]> {
    return parseNeighborTable(await this.run([this.parts.ip, '-json', 'neighbour', 'show']))
  }

  async flushNeighbors(): Promise<void> {
    await this.tryRun([this.parts.ip, 'neighbour', 'flush', 'all'])
  }

  /** Every address on every interface, without prefix lengths. */
  async addresses(): Promise<readonly string[]> {
    const rows: readonly { readonly addr_info?: readonly { readonly local?: string }[] }[] = JSON.parse(
      await this.run([this.parts.ip, '-json', 'address', 'show']),
    )
    return rows.flatMap((r) => r.addr_info ?? []).flatMap((a) => a.local ?? [])
  }

  /** The MAC address of its first interface. */
  async mac(): Promise<string> {
    const name = this.host.interfaces[0]?.name ?? 'eth0'
    const rows: readonly { readonly address?: string }[] = JSON.parse(
      await this.run([this.parts.ip, '-json', 'link', 'show', 'dev', name]),
    )
    return rows[0]?.address ?? ''
  }

  async ping(ip: string, timeoutMs = 1000): Promise<boolean> {
    const argv = [this.parts.ping, '-n', '-c', '1', '-W', `${timeoutMs / 1000}`, ip]
    return (await this.tryRun(argv, { timeoutMs: timeoutMs + 2000 })).code === 0
  }
}
