// Makes a topology's namespaces, links, addresses, routes and sysctls, and takes a host off the LAN.
import { run } from '../host/command.ts'
import { inNetns, ipBatch } from '../host/netns.ts'
import { cutCommands, networkCommands, restoreCommands, sysctls } from '../topology/ip-commands.ts'
import type { Host, Topology } from '../topology/topology.ts'

export async function makeNetwork(topology: Topology): Promise<void> {
  const commands = networkCommands(topology)
  await ipBatch(undefined, commands.root)
  await Promise.all(topology.hosts.map(setSysctls))
  // The bridge first: addresses and routes want their link up.
  for (const [netns, lines] of commands.inside) await ipBatch(netns, lines)
}

/** /proc/sys/net shows the reader's own namespace, so the files are written from within. */
async function setSysctls(host: Host): Promise<void> {
  const lines = sysctls(host).map((s) => {
    const [key, value] = s.split('=')
    return `echo ${value} > /proc/sys/${key?.replaceAll('.', '/')}`
  })
  await run(inNetns(host.netns, ['sh', '-e']), { input: `${lines.join('\n')}\n` })
}

/** `silent` keeps the carrier: the host does not see that nothing arrives any more. */
export async function cutHost(topology: Topology, host: Host, silent: boolean): Promise<void> {
  await ipBatch(topology.bridgeNetns, cutCommands(host, silent))
}

export async function restoreHost(topology: Topology, host: Host): Promise<void> {
  await ipBatch(topology.bridgeNetns, restoreCommands(host))
}
