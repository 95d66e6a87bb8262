/** Where settings come from besides flags: `contour.yaml` on disk, or a ContourConfiguration; read now, and followed. */
import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { type ContourConfiguration, contourConfiguration } from '@landfall/api'
import { type Cluster, customType, hasStatus, Reflector } from '@landfall/kube'
import { describeError, type Logger } from '@landfall/telemetry'
import {
  describeProblem,
  type ReadConfiguration,
  readConfiguration,
  readFileText,
} from '../configuration/read.ts'
import type { ConfigurationSource } from '../options.ts'

export const contourConfigurationType = customType<ContourConfiguration>(contourConfiguration)

export interface Observed extends ReadConfiguration {
  /** undefined for a file. */
  readonly object: ContourConfiguration | undefined
}

const pollMs = 2000

/** @throws when it cannot be read at all, or has problems */
export async function loadFile(path: string): Promise<ReadConfiguration> {
  return usable(path, readFileText(await readFile(path, 'utf8')))
}

/** @throws when it is not there, or has problems */
export async function loadObject(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<ReadConfiguration> {
  const key = `${namespace}/${name}`
  try {
    const object = contourConfigurationType.project(await cluster.get(contourConfigurationType, key))
    return usable(`ContourConfiguration ${key}`, readConfiguration(object.spec, 'object'))
  } catch (error) {
    if (hasStatus(error, 404)) throw new Error(`ContourConfiguration ${key} does not exist`, { cause: error })
    throw error
  }
}

function usable(where: string, read: ReadConfiguration): ReadConfiguration {
  if (read.problems.length === 0) return read
  throw new Error([`${where} cannot be used:`, ...read.problems.map(describeProblem)].join('\n  '))
}

/** Tells each change, and at least the first reading of an object. @returns what ends it */
export function follow(
  source: ConfigurationSource,
  cluster: Cluster,
  logger: Logger,
  onRead: (observed: Observed) => void,
): () => void {
  if (source.kind === 'file') return followFile(source.path, onRead)
  if (source.kind === 'flags') return () => undefined
  const { namespace, name } = source
  const reflector = new Reflector({
    cluster,
    type: contourConfigurationType,
    logger,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    onChange: (changes) => {
      // A configuration that is deleted stays in force: nothing else is known.
      for (const { after } of changes)
        if (after !== undefined) onRead({ ...readConfiguration(after.spec, 'object'), object: after })
    },
  })
  reflector.start()
  return () => reflector.stop()
}

type Found = { readonly text: string } | { readonly problem: string }

function find(path: string): Promise<Found> {
  return readFile(path, 'utf8').then(
    (text) => ({ text }),
    (error: unknown) => ({ problem: `cannot be read: ${describeError(error)}` }),
  )
}

/**
 * A ConfigMap's files change by a symlink that is swapped; reading again is surest. One that cannot be read is a problem
 * like those of what can.
 */
function followFile(path: string, onRead: (observed: Observed) => void): () => void {
  let last: Found | undefined
  const look = async (): Promise<void> => {
    const found = await find(path)
    if (isDeepStrictEqual(found, last)) return
    last = found
    const read =
      'text' in found
        ? readFileText(found.text)
        : { settings: {}, problems: [{ path: '', message: found.problem }] }
    onRead({ ...read, object: undefined })
  }
  const timer = setInterval(() => void look(), pollMs)
  timer.unref()
  return () => clearInterval(timer)
}
