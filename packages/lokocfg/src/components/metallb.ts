/** The component `metallb`: controller and speaker, in metallb-system. */
import { crdSection, metallbSections } from '@landfall/manifests'
import { boolean, mapOf, text } from '../evaluation/reader.ts'
import { addressPools } from './address-pools.ts'
import type { Attribute, Component } from './component.ts'
import { metallbMonitoring } from './monitoring.ts'
import { placed, readTolerations } from './placement.ts'
import { changed, objectsOf } from './sections.ts'

const namespace = 'metallb-system'

const toleration = '{ key, operator, value, effect, toleration_seconds }'

const attributes: readonly Attribute[] = [
  {
    name: 'address_pools',
    type: 'map of lists of texts',
    effect:
      'ConfigMap `config`: a pool a key, announced by BGP, with peers that are found on the Nodes (labels `metallb.universe.tf/my-asn`, `peer-asn`, `peer-address`, …). Without it no ConfigMap is written: make one, or `metallb.io` objects.',
    example: 'address_pools = { default = ["192.0.2.0/28"] }',
  },
  {
    name: 'controller_node_selectors',
    type: 'map of texts',
    effect: '`nodeSelector` of the controller, beside `kubernetes.io/os: linux`.',
    example: 'controller_node_selectors = { "kubernetes.io/hostname" = "worker3" }',
  },
  {
    name: 'speaker_node_selectors',
    type: 'map of texts',
    effect: '`nodeSelector` of the speakers, beside `kubernetes.io/os: linux`.',
    example: 'speaker_node_selectors = { "node-role.kubernetes.io/node" = "" }',
  },
  {
    name: 'controller_toleration',
    type: `block, repeatable: \`${toleration}\``,
    effect: 'What the controller tolerates: these and nothing else.',
    example: 'controller_toleration {\n key = "a"\n operator = "Equal"\n value = "b"\n}',
  },
  {
    name: 'speaker_toleration',
    type: `block, repeatable: \`${toleration}\``,
    effect: 'What the speakers tolerate: these and nothing else.',
    example: 'speaker_toleration {\n operator = "Exists"\n effect = "NoExecute"\n toleration_seconds = 60\n}',
  },
  {
    name: 'service_monitor',
    type: 'true or false; false',
    effect:
      'Service `metallb-metrics`, ServiceMonitor `metallb`, ConfigMap `grafana-dashs`, PrometheusRule `alertmanager-rules`. The Prometheus operator must be there first.',
    example: 'service_monitor = true',
  },
]

export const metallb: Component = {
  name: 'metallb',
  namespace,
  attributes,
  render: (block, { version, registry }) => {
    const pools = addressPools(block, namespace)
    const controllerSelector = block?.read('controller_node_selectors', mapOf(text))
    const speakerSelector = block?.read('speaker_node_selectors', mapOf(text))
    const controllerTolerations = readTolerations(block, 'controller_toleration')
    const speakerTolerations = readTolerations(block, 'speaker_toleration')
    const monitored = block?.read('service_monitor', boolean)?.value === true
    block?.finish()
    const all = objectsOf(metallbSections(version, registry), crdSection('metallb'))
    const controller = changed(all, 'Deployment', 'controller', (one) =>
      placed(one, {
        tolerations: controllerTolerations,
        ...(controllerSelector && { nodeSelector: controllerSelector.value }),
      }),
    )
    const both = changed(controller, 'DaemonSet', 'speaker', (one) =>
      placed(one, {
        tolerations: speakerTolerations,
        ...(speakerSelector && { nodeSelector: speakerSelector.value }),
      }),
    )
    return [...both, ...(pools === undefined ? [] : [pools]), ...(monitored ? metallbMonitoring() : [])]
  },
  optional: () => metallbMonitoring(),
  once: [],
}
