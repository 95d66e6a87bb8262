// A lab's guard: a sleeping process that removes the lab when its life is over or its owner ends.

import { fileURLToPath } from 'node:url'
import { labDaemons } from '../state/lab-state.ts'

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))

export function startGuard(o: {
  readonly id: string
  readonly maxLifeSeconds: number
  readonly owner?: number
}): void {
  const wait =
    o.owner === undefined
      ? ['sleep', `${o.maxLifeSeconds}`]
      : ['timeout', `${o.maxLifeSeconds}`, 'tail', `--pid=${o.owner}`, '-f', '/dev/null']
  // exec keeps the one pid that the pid file names, so that `down` does not end the guard that runs it.
  const script = 'id=$0 node=$1 cli=$2; shift 2; "$@"; exec "$node" "$cli" down --id "$id"'
  labDaemons(o.id).start({ name: 'guard', argv: ['sh', '-c', script, o.id, process.execPath, cli, ...wait] })
}
