/**
 * How `serve` is configured: the arguments of one of its pods, and the file or object that these name, read by the same
 * code. Where no pod is seen, the defaults.
 */
import { engineOptions, readConfiguration, readFileText, type Settings } from '@landfall/ingress/routing'
import type { RawObject } from '@landfall/kube'
import { keyOf } from '@landfall/kube/model'
import type { Serving } from '../cluster-view.ts'
import type { Observed, PodFacts } from '../observed.ts'
import { podsOf } from '../status/programs.ts'
import { fieldsOf, textOf } from './fields.ts'
import type { Lists } from './read.ts'

/** What its command line says. */
export interface ServeFlags {
  readonly settings: Settings
  /** Of `contour.yaml`, in the pod. */
  readonly configPath: string | undefined
  readonly contourConfigName: string | undefined
}

/**
 * @param readFlags arguments behind `serve` → what they say; undefined where they cannot be read
 * @param entry of the Service in front of Envoy; undefined: as the settings say
 */
export function servingOf(
  lists: Lists,
  observed: Observed,
  readFlags: (args: readonly string[]) => ServeFlags | undefined,
  entry: string | undefined,
): Serving {
  const namespace = observed.places.ingress
  const pod = podsOf(observed, 'contour')[0]
  const flags = pod && readFlags(argumentsOf(pod))
  const more = flags === undefined ? {} : configured(lists, flags)
  const settings: Settings =
    flags?.contourConfigName === undefined ? { ...more, ...flags?.settings } : { ...flags.settings, ...more }
  const name = settings.envoyServiceName ?? 'envoy'
  return {
    options: engineOptions(settings),
    entry: entry ?? `${settings.envoyServiceNamespace ?? namespace}/${name}`,
    page: {
      port: settings.metricsPort ?? 8000,
      secure: settings.metricsCertificate !== undefined && settings.metricsKey !== undefined,
    },
    source: pod === undefined ? 'the defaults, as no pod of contour is seen' : `pod ${keyOf(pod.meta)}`,
  }
}

function argumentsOf({ arguments: all }: PodFacts): readonly string[] {
  const at = all.indexOf('serve')
  return at < 0 ? [] : all.slice(at + 1)
}

function configured(lists: Lists, { configPath, contourConfigName }: ServeFlags): Settings {
  if (contourConfigName !== undefined) {
    const object = named(lists, 'ContourConfiguration', contourConfigName)
    return object === undefined ? {} : readConfiguration(object['spec'] ?? {}, 'object').settings
  }
  // The usual mount: the ConfigMap `contour` with the file of that name.
  const file = configPath?.split('/').at(-1)
  if (file === undefined) return {}
  const text = textOf(fieldsOf(named(lists, 'ConfigMap', 'contour')?.['data'])[file])
  return text === '' ? {} : readFileText(text).settings
}

function named(lists: Lists, kind: string, name: string): RawObject | undefined {
  return lists.get(kind)?.items.find(({ metadata }) => metadata.name === name)
}
