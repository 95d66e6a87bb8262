/** `pnpm bench NAME`: figures, with the machine and the load that they were measured under. Not judged here. */
import { cpus, loadavg, totalmem } from 'node:os'
import { benchBgp } from './bgp.ts'
import { benchController } from './controller.ts'
import { benchLayer2 } from './layer2.ts'
import { benchAllocator } from './lb.ts'

const benches: Readonly<Record<string, () => Promise<void>>> = {
  lb: async () => {
    benchAllocator()
    await benchController()
  },
  layer2: benchLayer2,
  bgp: benchBgp,
}

const [name = ''] = process.argv.slice(2)
const bench = benches[name]
if (bench === undefined) {
  process.stderr.write(`bench: which one? ${Object.keys(benches).join(', ')}\n`)
  process.exitCode = 1
} else {
  const memory = (totalmem() / 2 ** 30).toFixed(1)
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model.trim()}, ${memory} GiB, Node ${process.version}\n`,
  )
  process.stdout.write(
    `load before: ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}\n\n`,
  )
  await bench()
  process.stdout.write(
    `\nload after: ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}\n`,
  )
}
