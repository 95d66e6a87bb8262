/** The component `contour`: the control plane and the Envoys, in projectcontour. */
import { contourSections, crdSection, type Manifest } from '@landfall/manifests'
import { type BlockReader, boolean, type Located, listOf, text } from '../evaluation/reader.ts'
import type { Attribute, Component } from './component.ts'
import { settings, settingsName, withSettings } from './contour-settings.ts'
import { contourMonitoring } from './monitoring.ts'
import { fieldsOf, oneOf, placed, readNodeAffinity, readTolerations } from './placement.ts'
import { changed, objectsOf } from './sections.ts'

const namespace = 'projectcontour'
/** A load balancer of AWS passes connections on as they are. */
const ofAws = { 'service.beta.kubernetes.io/aws-load-balancer-backend-protocol': 'tcp' }
const hostnames = 'external-dns.alpha.kubernetes.io/hostname'
const serviceTypes = ['LoadBalancer', 'NodePort']
const installModes = ['deployment', 'daemonset']
const nodePorts: Readonly<Record<string, number>> = { http: 30080, https: 30443 }

const attributes: readonly Attribute[] = [
  {
    name: 'enable_monitoring',
    type: 'true or false; false',
    effect:
      'Services `contour-metrics` and `envoy-metrics`, ServiceMonitors `contour` and `envoy`, ConfigMap `grafana-dashs`, PrometheusRule `alertmanager-rules`. The Prometheus operator must be there first.',
    example: 'enable_monitoring = true',
  },
  {
    name: 'service_monitor',
    type: 'true or false; false',
    effect: 'The older name of `enable_monitoring`.',
    example: 'service_monitor = true',
  },
  {
    name: 'ingress_hosts',
    type: 'list of texts',
    effect: `Annotation \`${hostnames}\` of Service \`envoy\`.`,
    example: 'ingress_hosts = ["*.example.com"]',
  },
  {
    name: 'service_type',
    type: '`"LoadBalancer"` or `"NodePort"`; `"LoadBalancer"`',
    effect: 'Type of Service `envoy`; `NodePort` has the ports 30080 and 30443.',
    example: 'service_type = "NodePort"',
  },
  {
    name: 'node_affinity',
    type: 'block, repeatable: `{ key, operator, values }`',
    effect: 'Nodes that the pods of contour, envoy and the certificate Job must have; each must hold.',
    example: 'node_affinity {\n key = "ingress"\n operator = "In"\n values = ["true"]\n}',
  },
  {
    name: 'toleration',
    type: 'block, repeatable: `{ key, operator, value, effect, toleration_seconds }`',
    effect: 'What the pods of contour, envoy and the certificate Job tolerate.',
    example: 'toleration {\n key = "ingress"\n operator = "Exists"\n}',
  },
  {
    name: 'envoy',
    type: 'block: `{ metrics_scrape_interval }`',
    effect: 'Interval of ServiceMonitor `envoy`, as `"15s"`; needs `enable_monitoring`.',
    example: 'enable_monitoring = true\nenvoy {\n metrics_scrape_interval = "15s"\n}',
  },
  {
    name: 'install_mode',
    type: '`"deployment"` or `"daemonset"`',
    effect:
      'Nothing: Contour is always a Deployment, and Envoy a DaemonSet. Files of 2019 had to have it; a warning says so.',
    example: 'install_mode = "deployment"',
  },
]

export const contour: Component = {
  name: 'contour',
  namespace,
  attributes,
  render: (block, { version, registry }) => {
    const monitoring = readMonitoring(block)
    const hosts = block?.read('ingress_hosts', listOf(text))?.value.map(({ value }) => value) ?? []
    const serviceType = block?.read('service_type', text)
    if (block !== undefined) oneOf(block, 'service_type', serviceType, serviceTypes)
    const nodeAffinity = readNodeAffinity(block)
    const tolerations = readTolerations(block, 'toleration')
    readInstallMode(block)
    block?.finish()
    const place = (one: Manifest) => placed(one, { tolerations, nodeAffinity })
    const all = objectsOf(contourSections(version, registry), crdSection('contour'))
    const job = all.find(({ kind }) => kind === 'Job')?.metadata.name ?? ''
    let objects = changed(all, 'Deployment', 'contour', (one) => withSettings(place(one)))
    objects = changed(objects, 'DaemonSet', 'envoy', place)
    objects = changed(objects, 'Job', job, place)
    objects = changed(objects, 'Service', 'envoy', (one) => envoyService(one, hosts, serviceType?.value))
    // Before who reads it.
    objects = objects.flatMap((one) => (one.kind === 'Deployment' ? [settings(namespace), one] : [one]))
    return [...objects, ...(monitoring === undefined ? [] : contourMonitoring(monitoring.interval))]
  },
  optional: () => contourMonitoring(undefined),
  once: [`ConfigMap ${namespace}/${settingsName}`],
}

interface Monitoring {
  readonly interval: string | undefined
}

function readMonitoring(block: BlockReader | undefined): Monitoring | undefined {
  const now = block?.read('enable_monitoring', boolean)
  const before = block?.read('service_monitor', boolean)
  if (block !== undefined && now !== undefined && before !== undefined && now.value !== before.value) {
    block.refuse(
      'Conflict',
      'service_monitor says other than enable_monitoring, whose older name it is',
      before.at,
    )
  }
  const enabled = now?.value === true || before?.value === true
  const envoy = block?.block('envoy')
  const interval = envoy?.read('metrics_scrape_interval', text)
  envoy?.finish()
  if (interval !== undefined) checkInterval(envoy, interval, enabled)
  return enabled ? { interval: interval?.value } : undefined
}

/** A duration of Prometheus. */
function checkInterval(
  envoy: BlockReader | undefined,
  { value, at }: Located<string>,
  enabled: boolean,
): void {
  if (!/^(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.test(value) || value === '') {
    envoy?.refuse('InvalidValue', `metrics_scrape_interval = "${value}" is no duration, as "15s"`, at)
  }
  if (!enabled) {
    envoy?.refuse('Conflict', 'metrics_scrape_interval does nothing without enable_monitoring = true', at)
  }
}

function readInstallMode(block: BlockReader | undefined): void {
  const mode = block?.read('install_mode', text)
  if (block === undefined || mode === undefined) return
  oneOf(block, 'install_mode', mode, installModes)
  block.warn(
    'install_mode has no effect: Contour is a Deployment and Envoy a DaemonSet; leave it out',
    mode.at,
  )
}

function envoyService(service: Manifest, hosts: readonly string[], type: string | undefined): Manifest {
  const { metadata } = service
  const named = hosts.length === 0 ? {} : { [hostnames]: hosts.join(',') }
  const annotations = { ...metadata.annotations, ...ofAws, ...named }
  const annotated = { ...service, metadata: { ...metadata, annotations } }
  if (type !== 'NodePort') return annotated
  const spec = fieldsOf(service['spec'])
  const ports = Array.isArray(spec['ports']) ? spec['ports'].map(fieldsOf) : []
  const fixed = ports.map((port) => ({ ...port, nodePort: nodePorts[String(port['name'])] }))
  return { ...annotated, spec: { ...spec, type, ports: fixed } }
}
