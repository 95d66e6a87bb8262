/**
 * The observer of a segment, as a process in the namespace of its bridge: asks for addresses, each once in `everyMs`,
 * and writes down who claims any, a line of JSON for a batch of claims. Ends with its standard input. Run by
 * `watchSegment`.
 */
import { listInterfaces, PacketRing } from '@landfall/net'
import { parseIP } from '@landfall/netip'
import type { Claim } from './claims.ts'
import { ethertypeArp, ethertypeIPv6, question, sayingOf, whereAsker } from './frames.ts'
import type { Watched } from './watch.ts'

const everything = Buffer.from(Uint8Array.of(6, 0, 0, 0, 0xff, 0xff, 0, 0))
/** Next header ICMPv6 and type 135 or above: what goes through the bridge besides is no concern of this. */
const neighborDiscovery = Buffer.from(
  [
    instruction({ code: 0x30, k: 20 }),
    instruction({ code: 0x15, k: 58, no: 3 }),
    instruction({ code: 0x30, k: 54 }),
    instruction({ code: 0x35, k: 135, no: 1 }),
    instruction({ code: 0x06, k: 0xffff }),
    instruction({ code: 0x06, k: 0 }),
  ].flat(),
)
const tellMs = 50

const watched: Watched = JSON.parse(process.argv[2] ?? '')
const link = listInterfaces().find(({ name }) => name === watched.link)
if (link === undefined) throw new Error(`no interface ${watched.link}`)
let claims: Claim[] = []
const rings = [ring(ethertypeArp, everything), ring(ethertypeIPv6, neighborDiscovery)] as const
const questions = watched.ask.map((text) => {
  const ip = parseIP(text)
  if (ip === undefined) throw new Error(`${text} is no IP address`)
  return { ring: ip.family === 4 ? rings[0] : rings[1], frame: question(ip) }
})

let asked = 0
const started = performance.now()
const asking = setInterval(() => {
  const due = ((performance.now() - started) / watched.everyMs) * questions.length
  // After a stall the pace goes on; what was missed is not made up for.
  asked = Math.max(asked, Math.floor(due) - questions.length)
  for (; asked < due; asked++) {
    const next = questions[asked % questions.length]
    next?.ring.send(next.frame, link.index)
  }
}, 1)
const telling = setInterval(tell, tellMs)
process.stdin.resume().once('close', () => {
  clearInterval(asking)
  clearInterval(telling)
  for (const one of rings) one.close()
  tell()
})

function ring(ethertype: number, filter: Uint8Array): PacketRing {
  const own = new PacketRing({
    ethertype,
    slotBytes: 256,
    filter,
    onFrame: (frame, from) => {
      if (from !== link?.index) return
      const said = sayingOf(frame)
      if (said !== undefined) claims.push({ at: own.frameTime, ...said })
      const reply = whereAsker(frame)
      if (reply !== undefined) own.send(reply, from)
    },
  })
  return own
}

function tell(): void {
  if (claims.length > 0) process.stdout.write(`${JSON.stringify(claims)}\n`)
  claims = []
}

/** struct sock_filter. */
function instruction({
  code,
  k,
  no = 0,
}: {
  readonly code: number
  readonly k: number
  readonly no?: number
}) {
  return [code, 0, 0, no, k & 0xff, k >> 8, 0, 0]
}
