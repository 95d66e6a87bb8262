/** A Pod → what a diagnosis reads of it: where it is, whether it is ready, and why not. */
import { podType, type RawObject } from '@landfall/kube'
import type { PodFacts } from '../observed.ts'
import { entriesOf, type Fields, fieldsOf, textOf } from './fields.ts'

const longest = 300
/** A program that ends sooner crashes over and over. */
const shortRunMs = 60_000

/** @param probed what the kubelet said last of a probe of it; '' for nothing */
export function podFacts(raw: RawObject, probed: string): PodFacts {
  const { meta, nodeName, podIPs, phase, ready, images } = podType.project(raw)
  const containers = entriesOf(fieldsOf(raw['spec'])['containers'])
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(textOf) : [])
  return {
    meta,
    nodeName,
    podIPs,
    phase,
    ready,
    images,
    arguments: containers.flatMap(({ command, args }) => [...texts(command), ...texts(args)]),
    workload: workloadOf(raw),
    trouble: ready ? '' : troubleOf(fieldsOf(raw['status']), containers, meta.deleting, probed),
  }
}

/** A ReplicaSet that bears the hash of its template is a Deployment's. */
function workloadOf({ metadata }: RawObject): string {
  const [owner = {}] = entriesOf(metadata['ownerReferences']).filter(({ controller }) => controller === true)
  const [kind, name] = [textOf(owner['kind']), textOf(owner['name'])]
  const suffix = `-${metadata.labels?.['pod-template-hash'] ?? ''}`
  return kind === 'ReplicaSet' && suffix !== '-' && name.endsWith(suffix)
    ? `Deployment ${name.slice(0, -suffix.length)}`
    : `${kind} ${name}`.trim()
}

/** What the kubelet said last of each pod's readiness probe, without the address that it asked. */
export function probesSeen(events: readonly RawObject[]): ReadonlyMap<string, string> {
  const at = (event: RawObject) => textOf(event['lastTimestamp'])
  const seen = new Map<string, string>()
  for (const event of events.toSorted((a, b) => (at(a) < at(b) ? -1 : 1))) {
    const { namespace, name } = fieldsOf(event['involvedObject'])
    const [, words] = /^Readiness probe failed: (.*)/s.exec(textOf(event['message'])) ?? []
    if (words !== undefined)
      seen.set(
        `${textOf(namespace)}/${textOf(name)}`,
        words
          .replace(/^Get "[^"]*": /, '')
          .replace(/^dial tcp \S+: /, '')
          .trim(),
      )
  }
  return seen
}

/**
 * The first container that waits or has ended, then one that runs after such an end (between two crashes it looks
 * like one that is slow), then one whose probe fails, then what the conditions say.
 */
function troubleOf(status: Fields, containers: readonly Fields[], deleting: boolean, probed: string): string {
  if (deleting) return 'Terminating'
  const all = [...entriesOf(status['initContainerStatuses']), ...entriesOf(status['containerStatuses'])]
  for (const { name, state, lastState, ready } of all) {
    const { waiting, terminated } = fieldsOf(state)
    const stuck = fieldsOf(waiting ?? (ready === true ? undefined : terminated))
    const reason = textOf(stuck['reason'])
    // That of the init containers before it, or that it is being made.
    if (reason === '' || reason === 'PodInitializing' || reason === 'Completed') continue
    const end = endText(fieldsOf(waiting === undefined ? terminated : fieldsOf(lastState)['terminated']))
    return said(`container ${textOf(name)}: ${reason}`, end === '' ? textOf(stuck['message']) : end)
  }
  const unready = entriesOf(status['containerStatuses']).find(
    ({ state, ready }) => ready !== true && fieldsOf(state)['running'] !== undefined,
  )
  const [startedAt, before] = unready === undefined ? ['', ''] : lastCrash(unready, status)
  if (before !== '')
    return said(`container ${textOf(unready?.['name'])}: was started again at ${startedAt}`, before)
  const probe = fieldsOf(containers.find(({ name }) => name === unready?.['name'])?.['readinessProbe'])
  if (Object.keys(probe).length > 0)
    return said(
      `container ${textOf(unready?.['name'])}: runs, and does not pass its readiness probe (${probeText(probe)})`,
      probed,
    )
  const failed = entriesOf(status['conditions']).find(
    ({ type, status: is }) => is === 'False' && (type === 'PodScheduled' || type === 'Ready'),
  )
  return failed === undefined
    ? textOf(status['reason'])
    : said(textOf(failed['reason']), textOf(failed['message']))
}

/**
 * Of a container that runs: since when, and how the run before it ended, where that is why it is not ready. Not of one that
 * has been ready in this run, nor where the run before went on for a while: the kubelet keeps an end for ever.
 */
function lastCrash({ state, lastState }: Fields, status: Fields): readonly [string, string] {
  const startedAt = textOf(fieldsOf(fieldsOf(state)['running'])['startedAt'])
  const end = fieldsOf(fieldsOf(lastState)['terminated'])
  const ready = entriesOf(status['conditions']).find(({ type }) => type === 'Ready')
  const [began, ended] = [timeOf(end['startedAt']), timeOf(end['finishedAt'])]
  const isNew = timeOf(ready?.['lastTransitionTime']) <= timeOf(startedAt)
  return isNew && ended - began < shortRunMs && end['exitCode'] !== 0 ? [startedAt, endText(end)] : ['', '']
}

/** NaN where it is not said. */
function timeOf(value: unknown): number {
  return Date.parse(textOf(value))
}

/** How a run ended, and what the program said last; '' where none has. */
function endText({ exitCode, reason, message }: Fields): string {
  if (typeof exitCode !== 'number') return ''
  const why = reason === 'OOMKilled' ? ' (OOMKilled: its memory limit is too low)' : ''
  return said(`it ended with exit code ${exitCode}${why}`, lastWords(textOf(message)))
}

/** Of the end of a log, or of what a program left as its last word: the last line that tells something. */
function lastWords(message: string): string {
  const lines = message.split('\n').map((line) => line.trim())
  const last = lines.findLast((line) => line !== '' && !/^Node\.js v|\] exiting$/.test(line)) ?? ''
  const [, text] = /^\{.*"msg":"((?:[^"\\]|\\.)*)"/.exec(last) ?? []
  return text ?? last
}

function probeText({ httpGet, tcpSocket, grpc }: Fields): string {
  const at = fieldsOf(httpGet ?? tcpSocket ?? grpc)
  const port = String(at['port'])
  if (httpGet !== undefined) return `GET ${textOf(at['path']) || '/'} on port ${port}`
  return tcpSocket === undefined && grpc === undefined
    ? 'a command'
    : `${grpc ? 'gRPC' : 'TCP'} on port ${port}`
}

function said(reason: string, message: string): string {
  return (message === '' ? reason : `${reason}: ${message}`).slice(0, longest)
}
