/** Sends Ethernet frames, given as hex, on an interface and prints the frames of that ethertype that come back. */
import { listInterfaces, PacketRing } from '@landfall/net'

const [name = '', ...frames] = process.argv.slice(2)
const bytes = frames.map((hex) => Buffer.from(hex, 'hex'))
const index = listInterfaces().find((i) => i.name === name)?.index ?? 0
const ring = new PacketRing({
  ethertype: bytes[0]?.readUInt16BE(12) ?? 0,
  slotBytes: 256,
  filter: Buffer.from(Uint8Array.of(6, 0, 0, 0, 0xff, 0xff, 0, 0)),
  onFrame: (frame) => void process.stdout.write(`${Buffer.from(frame).toString('hex')}\n`),
})
for (const frame of bytes) ring.send(frame, index)
setTimeout(() => ring.close(), 200)
