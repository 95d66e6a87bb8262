/**
 * `npm run demo`: brings up a lab, installs Landfall on it, applies an example and curls it from hosts that are no
 * part of the cluster. `npm run demo -- down` takes the lab away.
 */
import {
  ensureLab,
  type Lab,
  type LabHost,
  type Progress,
  removeLab,
  terminalProgress,
} from '../lab/index.ts'
import { applyExample, externalAddresses, install } from './installation.ts'
import { renderTable } from './table.ts'

const id = 'lab'
const hosts = ['hello.example.com', 'world.example.com']

async function main(): Promise<void> {
  if (process.getuid?.() !== 0) {
    return fail('the demo makes network namespaces, which takes root: run `sudo npm run demo`')
  }
  const [command] = process.argv.slice(2)
  if (command === 'down') return down()
  if (command === '--help' || command === '-h') return say('usage: npm run demo [-- down]')
  if (command !== undefined) return fail(`unknown command "${command}"; usage: npm run demo [-- down]`)
  await demo(terminalProgress())
}

async function down(): Promise<void> {
  const { processes, namespaces, mounts } = await removeLab(id)
  say(`Taken away: ${processes} processes, ${namespaces} network namespaces, ${mounts} mounts.`)
}

async function demo(progress: Progress): Promise<void> {
  const started = performance.now()
  const { lab, made } = await ensureLab({ id, owned: false, progress })
  await install(lab, progress)
  await progress.step('kubectl apply -f examples/hello.yaml', () => applyExample(lab))
  const { ipv4, ipv6 } = await progress.step('the Service `envoy` gets its addresses', () =>
    externalAddresses(lab, 'envoy', 'projectcontour'),
  )
  const rows: string[][] = [['HOST', 'ADDRESS', 'FROM', 'BY WAY OF', 'ENVOY ON', 'ANSWER']]
  for (const address of [ipv4, ipv6]) {
    for (const host of hosts) {
      rows.push(
        await progress.step(`curl ${host} at ${address} from the LAN`, () =>
          curl(lab, lab.client, host, address),
        ),
      )
    }
  }
  for (const address of [ipv4, ipv6]) {
    const host = hosts[0] ?? ''
    rows.push(
      await progress.step(`curl ${host} at ${address} from behind the routers`, () =>
        curl(lab, lab.client2, host, address),
      ),
    )
  }
  say(`\n${renderTable(rows)}`)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  say(
    `${made ? 'From no cluster to an answer' : 'An answer, on the lab that was up already,'} in ${seconds} s.`,
  )
  say(nextSteps(ipv4))
}

/** One row of the table, once the host answers. */
async function curl(lab: Lab, from: LabHost, host: string, address: string): Promise<string[]> {
  const url = address.includes(':') ? `http://[${address}]/` : `http://${address}/`
  const answer = await lab.waitFor(
    `${host} at ${address} to answer 200`,
    async () => {
      const answered = await from.curl(url, { host, timeoutMs: 2000 })
      return answered.status === 200 && answered
    },
    { timeoutMs: 60_000 },
  )
  const server = /^Hostname: (.*)$/m.exec(answer.body)?.[1] ?? ''
  const { way, node } = from === lab.client ? await lanWay(lab, address) : await routedWay(lab, address)
  return [host, address, from.name, way, node, `${answer.status} ${server}`]
}

/** The node whose MAC address answers for the address. */
async function lanWay(lab: Lab, address: string): Promise<{ readonly way: string; readonly node: string }> {
  const mac = (await lab.client.neighbors()).find((entry) => entry.ip === address)?.mac
  const node = mac === undefined ? undefined : await ownerOf(lab, mac)
  const protocol = address.includes(':') ? 'NDP' : 'ARP'
  return { way: mac === undefined ? protocol : `${protocol} ${mac}`, node: node ?? '?' }
}

async function ownerOf(lab: Lab, mac: string): Promise<string | undefined> {
  for (const node of lab.nodes) {
    if ((await node.mac()) === mac) return node.name
  }
  return undefined
}

/** The nodes that the router has as next hops. */
async function routedWay(
  lab: Lab,
  address: string,
): Promise<{ readonly way: string; readonly node: string }> {
  const prefix = address.includes(':') ? `${address}/128` : `${address}/32`
  const hops = (await lab.routers[0]?.nextHops(prefix)) ?? []
  return { way: `BGP, ${hops.length} next hops`, node: hops.length === 0 ? '?' : 'one of them' }
}

function nextSteps(address: string): string {
  return `The cluster is yours:

  npm run lab -- kubectl get svc,ingress,httpproxy -A
  npm run -s lab -- shell client curl -si -H 'Host: hello.example.com' http://${address}/
  npm run lab -- shell client          a shell on the LAN
  npm run lab -- shell r1 ip route     what a router knows
  npm run lab -- status                hosts and processes
  npm run demo -- down                 takes all of it away`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function fail(message: string): void {
  process.stderr.write(`landfall: ${message}\n`)
  process.exitCode = 1
}

await main().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
