/** Runs a ServicesStage inside a network namespace with routers beside it, and gives what it measured. */
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { missingFor, PeerLab } from '@landfall/speaker/testing'
import type { Router } from './stage.ts'
import type { StageLine, StageOrder } from './stage-main.ts'

const program = fileURLToPath(new URL('stage-main.ts', import.meta.url))
const own = '10.77.0.11'
const asn = 65530
const frr: Router = { name: 'frr', asn, address: '10.77.0.1', port: 179 }
const gobgp: Router = { name: 'gobgp', asn, address: '10.77.0.1', port: 1790 }

export interface Measured {
  readonly lines: readonly StageLine[]
  /** When a router held a prefix, in milliseconds of the epoch, by `NAME PREFIX`. */
  readonly heldAt: ReadonlyMap<string, number>
}

export async function onStage(
  order: Omit<StageOrder, 'routers'>,
  onLine: (line: StageLine) => void,
): Promise<Measured> {
  const lab = new PeerLab(1)
  const heldAt = new Map<string, number>()
  try {
    const routers = order.besides > 0 ? await startRouters(lab, heldAt) : []
    const argument = JSON.stringify({ ...order, routers } satisfies StageOrder)
    const lines: StageLine[] = []
    const child = lab.spawn('n1', process.execPath, [program, argument])
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line: StageLine = JSON.parse(text)
        lines.push(line)
        onLine(line)
      })
    const code = await ended
    if (lines.at(-1)?.kind !== 'done') throw new Error(`the stage ended with code ${code}`)
    return { lines, heldAt }
  } finally {
    await lab.close()
  }
}

/** FRR holds a route when the kernel does, GoBGP when its table does. */
async function startRouters(lab: PeerLab, heldAt: Map<string, number>): Promise<readonly Router[]> {
  const why = missingFor('frr') ?? missingFor('gobgp')
  if (why !== undefined) throw new Error(why)
  await lab.startFrr(`
router bgp ${asn}
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 neighbor ${own} remote-as 65000
 neighbor ${own} passive
`)
  await lab.startGobgp(`
[global.config]
  as = ${asn}
  router-id = "10.77.0.1"
  port = ${gobgp.port}
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${own}"
    peer-as = 65000
  [neighbors.transport.config]
    passive-mode = true
`)
  const watch = (name: string, [command = '', ...args]: readonly string[], pattern: RegExp) => {
    const { stdout } = lab.spawn('r', command, args)
    if (stdout === null) return
    createInterface({ input: stdout }).on('line', (line) => {
      const at = performance.timeOrigin + performance.now()
      const [, address] = pattern.exec(line) ?? []
      if (address !== undefined && !heldAt.has(`${name} ${address}/32`))
        heldAt.set(`${name} ${address}/32`, at)
    })
  }
  watch(frr.name, ['ip', 'monitor', 'route'], /^(?!Deleted)(198\.18\.\d+\.\d+) /)
  watch(gobgp.name, lab.gobgpCommand('monitor', 'global', 'rib'), /(198\.18\.\d+\.\d+)\/32/)
  return [frr, gobgp]
}
