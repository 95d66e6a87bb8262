// The lab for tests and drills: a cluster on one machine, used through types.
//   const lab = await createLab({ nodes: 3 })
//   try { … } finally { await lab.down() }
// A lab made here also removes itself when the process that made it ends.
import { type Progress, silentProgress } from './host/progress.ts'
import { Lab } from './session/lab.ts'
import { startLab } from './start/start-lab.ts'
import { isStarting, readRecord } from './state/lab-state.ts'
import { removeLab } from './state/removal.ts'

export interface CreateOptions {
  /** Its name; a fresh one by default, so that labs run side by side. */
  readonly id?: string
  readonly nodes?: number
  readonly maxLifeSeconds?: number
  /** False lets the lab live on when this process ends. */
  readonly owned?: boolean
  readonly nodeMonitorGraceSeconds?: number
  readonly audit?: boolean
  /** Containers are held to their limits of processor time, which takes a machine with such cgroups. */
  readonly cpuLimits?: boolean
  /** False runs the programs' bundles as an earlier build left them. */
  readonly build?: boolean
  readonly progress?: Progress
}

export const defaults = {
  id: 'lab',
  nodes: 3,
  maxLifeSeconds: 12 * 3600,
  nodeMonitorGraceSeconds: 50,
} as const

export async function createLab(o: CreateOptions = {}): Promise<Lab> {
  const id = o.id ?? `t${process.pid.toString(36)}${Date.now().toString(36).slice(-4)}`
  await startLab({
    id,
    nodes: o.nodes ?? defaults.nodes,
    maxLifeSeconds: o.maxLifeSeconds ?? defaults.maxLifeSeconds,
    nodeMonitorGraceSeconds: o.nodeMonitorGraceSeconds ?? defaults.nodeMonitorGraceSeconds,
    audit: o.audit ?? false,
    cpuLimits: o.cpuLimits ?? false,
    build: o.build ?? true,
    progress: o.progress ?? silentProgress,
    ...(o.owned === false ? {} : { owner: process.pid }),
  })
  return openLab(id)
}

/**
 * The lab of this name as it runs, or a new one: what an interrupted start left, or a lab whose processes have ended, is
 * taken away first. An interruption meanwhile takes the new one away again. Throws when another process is bringing it up.
 */
export async function ensureLab(
  o: CreateOptions & { readonly id: string },
): Promise<{ readonly lab: Lab; readonly made: boolean }> {
  const record = readRecord(o.id)
  if (record !== undefined && isStarting(record)) {
    throw new Error(`lab '${o.id}' is being brought up by process ${record.starter.pid}`)
  }
  if (record?.phase === 'up') {
    const lab = openLab(o.id)
    const whole = lab.daemons().every((daemon) => daemon.alive)
    if (whole && o.nodes !== undefined && record.nodes !== o.nodes) {
      throw new Error(
        `lab '${o.id}' is up with ${record.nodes} nodes; take it down first, or give another --id`,
      )
    }
    if (whole) return { lab, made: false }
  }
  if (record !== undefined) await removeLab(o.id)
  const interrupted = (): void => void removeLab(o.id).finally(() => process.exit(130))
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  const lab = await createLab(o)
  process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
  return { lab, made: true }
}

/** The running lab of this name; throws when there is none that is up. */
export function openLab(id: string = defaults.id): Lab {
  const record = readRecord(id)
  if (record === undefined) throw new Error(`there is no lab '${id}'; 'npm run lab -- up' makes one`)
  if (record.phase !== 'up') throw new Error(`lab '${id}' is not up; take it down and bring it up again`)
  return new Lab(record)
}

export { CommandError, type CommandResult } from './host/command.ts'
export { type Progress, silentProgress, terminalProgress } from './host/progress.ts'
export { waitFor } from './host/wait.ts'
export { type BgpNeighbor, type BgpRoute, type NextHop } from './routers/frr-json.ts'
export { type AskedRequest, readAudit } from './session/audit.ts'
export { type KubernetesObject, type Manifest } from './session/cluster.ts'
export { type CurlAnswer, CurlError, type CurlOptions } from './session/curl.ts'
export { LabHost } from './session/host.ts'
export { Lab } from './session/lab.ts'
export { LabNode } from './session/node.ts'
export { LabPods } from './session/pods.ts'
export { LabRouter } from './session/router.ts'
export { LabExistsError } from './start/start-lab.ts'
export { isStarting, labIds, readRecord } from './state/lab-state.ts'
export { removeLab } from './state/removal.ts'
