// What a lab leaves on disk so that any later command can find, use and remove it.
// `/run/landfall/<id>/`: lab.json, pids/, logs/, control/, routers/, nodes/<name>/, bundles/; etcd's data lies in memory.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Daemons } from '../host/daemon.ts'
import { isAlive, labMark, type ProcessId } from '../host/process-table.ts'
import { labPrefix, labTopology, type Topology } from '../topology/topology.ts'

export const labsDirectory = process.env['LANDFALL_LABS'] ?? '/run/landfall'

export interface LabRecord {
  readonly id: string
  readonly nodes: number
  readonly created: string
  /** `up` means that every step of the start was done. */
  readonly phase: 'starting' | 'up'
  /** The process that brings or brought it up. */
  readonly starter: ProcessId
  /** Paths of the programs that the lab runs. */
  readonly parts: Readonly<Record<string, string>>
}

export interface LabPaths {
  readonly root: string
  readonly record: string
  readonly pids: string
  readonly logs: string
  readonly control: string
  readonly routers: string
  readonly nodes: string
  /** The lab's own copy of the programs. */
  readonly bundles: string
  readonly etcd: string
  /** The administrator's; the address in it is reached from the lab's hosts only. */
  readonly kubeconfig: string
  readonly kubectlCache: string
}

export function labPaths(id: string): LabPaths {
  const prefix = labPrefix(id)
  const root = join(labsDirectory, id)
  return {
    root,
    record: join(root, 'lab.json'),
    pids: join(root, 'pids'),
    logs: join(root, 'logs'),
    control: join(root, 'control'),
    routers: join(root, 'routers'),
    nodes: join(root, 'nodes'),
    bundles: join(root, 'bundles'),
    etcd: `/dev/shm/${prefix}etcd`,
    kubeconfig: join(root, 'control', 'admin.kubeconfig'),
    kubectlCache: join(root, 'kubectl-cache'),
  }
}

export function labDaemons(id: string): Daemons {
  const paths = labPaths(id)
  return new Daemons({ pids: paths.pids, logs: paths.logs, env: { [labMark]: labPrefix(id) } })
}

/** Takes the id: the directory is made by exactly one. False when another lab has it. */
export function claimLab(id: string): boolean {
  mkdirSync(labsDirectory, { recursive: true })
  try {
    mkdirSync(labPaths(id).root)
    return true
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'EEXIST') return false
    throw e
  }
}

export function writeRecord(record: LabRecord): void {
  const path = labPaths(record.id).record
  writeFileSync(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`)
  renameSync(`${path}.new`, path)
}

export function readRecord(id: string): LabRecord | undefined {
  const path = labPaths(id).record
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/** Another process is still at bringing the lab up. */
export function isStarting(record: LabRecord): boolean {
  return record.phase === 'starting' && record.starter.pid !== process.pid && isAlive(record.starter)
}

export function recordedTopology(record: Pick<LabRecord, 'id' | 'nodes'>): Topology {
  return labTopology({ id: record.id, nodes: record.nodes })
}

export function labIds(): readonly string[] {
  return existsSync(labsDirectory) ? readdirSync(labsDirectory).toSorted() : []
}
