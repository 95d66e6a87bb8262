/** Which host an address leads to on the LAN of this machine, by the MAC addresses that its kernel knows. */
import type { Node } from '@landfall/kube/model'

/** MAC addresses by IPv4 address. */
export type Neighbours = ReadonlyMap<string, string>

/** The text of Linux's `/proc/net/arp`. */
export function neighboursIn(text: string): Neighbours {
  const lines = text.split('\n').map((line) => line.split(/\s+/))
  return new Map(
    // Flags 0x0: nobody answered.
    lines.flatMap(([ip = '', , flags = '', mac = '']) =>
      /^0x0*[1-9a-f]/.test(flags) && mac.includes(':') ? [[ip, mac] as const] : [],
    ),
  )
}

/** '' where this machine does not know, as when a router is between. @param announcers nodes that are to answer; [] where they are not known */
export function neighbourText(
  address: string,
  neighbours: Neighbours,
  nodes: readonly Node[],
  announcers: readonly string[],
): string {
  const mac = neighbours.get(address)
  if (mac === undefined) return ''
  const seen = nodes.flatMap(({ meta, internalIPs }) =>
    internalIPs.flatMap((ip) => {
      const own = neighbours.get(ip)
      return own === undefined ? [] : [{ node: meta.name, mac: own }]
    }),
  )
  const owner = seen.find((one) => one.mac === mac)?.node
  const said = announcers.length === 0 ? '' : `; announced by ${announcers.join(', ')}`
  if (owner !== undefined)
    return `this machine goes to MAC ${mac}, of node ${owner}${announcers.includes(owner) ? '' : said}`
  const others = [...new Set(seen.map(({ node }) => node))].join(', ')
  const strange = others === '' ? '' : `, which is not that of ${others}`
  return `this machine goes to MAC ${mac}${strange}${said}`
}
