/**
 * The flavours of MetalLB v0.16 in which another program speaks BGP, as its manifests create them: `frr` beside the speaker in
 * its pod, `frr-k8s` in a DaemonSet of its own, with webhooks, roles and kinds of its own. In: nothing. Out: objects, the
 * definitions of metallb.io left out.
 */
import type { Manifest } from '../lab/index.ts'
import { metallb016 } from './metallb-0-16.ts'
import { namespaceAndAccounts, read, rule, system } from './objects.ts'
import { webhooks } from './webhooks.ts'

export type Flavour = 'frr' | 'frr-k8s'

type Fields = Readonly<Record<string, unknown>>

const frrImage = 'quay.io/frrouting/frr:10.5.3'
const frrGroup = 'frrk8s.metallb.io'
const configurations = rule(
  frrGroup,
  ['frrconfigurations'],
  ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
)

export function metallb016Frr(flavour: Flavour): readonly Manifest[] {
  const own = [...metallb016(), ...webhooks()]
  if (flavour === 'frr') return [...own.map(withFrr), startup()]
  return [...own.map(withFrrK8s), ...frrK8s()]
}

function withFrr(object: Manifest): Manifest {
  if (object['kind'] === 'Deployment') return inPod(object, (pod) => withType(pod, 'frr'))
  return object['kind'] === 'DaemonSet' ? inPod(object, besideFrr) : object
}

function withFrrK8s(object: Manifest): Manifest {
  const { kind } = object
  if (kind === 'Deployment' || kind === 'DaemonSet') return inPod(object, (pod) => withType(pod, 'frr-k8s'))
  const isSpeakers = kind === 'ClusterRole' && nameOf(object) === `${system}:speaker`
  return isSpeakers ? { ...object, rules: [...list(object['rules']), configurations] } : object
}

function inPod(object: Manifest, change: (pod: Fields) => Fields): Manifest {
  const spec = fields(object['spec'])
  const template = fields(spec['template'])
  return { ...object, spec: { ...spec, template: { ...template, spec: change(fields(template['spec'])) } } }
}

/** The variable is in the one container that there is. */
function withType(pod: Fields, type: Flavour, ...more: readonly Fields[]): Fields {
  const [program = {}] = list(pod['containers'])
  const env = [...list(program['env']), { name: 'METALLB_BGP_TYPE', value: type }, ...more]
  return { ...pod, containers: [{ ...program, env }] }
}

function besideFrr(pod: Fields): Fields {
  const [speaker = {}] = list(
    withType(
      pod,
      'frr',
      { name: 'FRR_CONFIG_FILE', value: '/etc/frr_reloader/frr.conf' },
      { name: 'FRR_RELOADER_PID_FILE', value: '/etc/frr_reloader/reloader.pid' },
    )['containers'],
  )
  const mounts = [...list(speaker['volumeMounts']), mount('reloader', '/etc/frr_reloader')]
  const add = ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'NET_BIND_SERVICE']
  const sockets = mount('frr-sockets', '/var/run/frr')
  const configuration = mount('frr-conf', '/etc/frr')
  return {
    ...pod,
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: 0,
    initContainers: [
      {
        name: 'cp-frr-files',
        image: frrImage,
        command: ['/bin/sh', '-c', 'cp -rLf /tmp/frr/* /etc/frr/'],
        securityContext: { runAsUser: 100, runAsGroup: 101 },
        volumeMounts: [mount('frr-startup', '/tmp/frr'), configuration],
      },
      ...['reloader', 'metrics'].map((name) => ({
        name: `cp-${name}`,
        image: 'quay.io/metallb/speaker:v0.16.1',
        command: ['/cp-tool', `/frr-${name}`, `/etc/frr_${name}/`],
        volumeMounts: [mount(name, `/etc/frr_${name}`)],
      })),
    ],
    containers: [
      { ...speaker, volumeMounts: mounts },
      {
        name: 'frr',
        image: frrImage,
        command: ['/bin/sh', '-c', '/sbin/tini -- /usr/lib/frr/docker-start'],
        env: [{ name: 'TINI_SUBREAPER', value: 'true' }],
        livenessProbe: { httpGet: { path: '/livez', port: 9121 } },
        startupProbe: { httpGet: { path: '/livez', port: 9121 }, failureThreshold: 30, periodSeconds: 5 },
        securityContext: { capabilities: { add } },
        volumeMounts: [sockets, configuration],
      },
      {
        name: 'reloader',
        image: frrImage,
        command: ['/etc/frr_reloader/frr-reloader.sh'],
        volumeMounts: [sockets, configuration, mount('reloader', '/etc/frr_reloader')],
      },
      {
        name: 'frr-metrics',
        image: frrImage,
        command: ['/etc/frr_metrics/frr-metrics'],
        args: ['--metrics-port=9121'],
        ports: [{ name: 'frrmetrics', containerPort: 9121 }],
        volumeMounts: [sockets, configuration, mount('metrics', '/etc/frr_metrics')],
      },
    ],
    volumes: [
      ...list(pod['volumes']),
      { name: 'frr-startup', configMap: { name: 'frr-startup' } },
      ...['frr-sockets', 'frr-conf', 'reloader', 'metrics'].map((name) => ({ name, emptyDir: {} })),
    ],
  }
}

function startup(): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'frr-startup', namespace: system },
    data: { daemons: 'bgpd=yes\nzebra=yes\nbfdd=yes\n', 'frr.conf': '', 'vtysh.conf': '' },
  }
}

function frrK8s(): readonly Manifest[] {
  const [, account = {}] = namespaceAndAccounts({})
  const named = (apiVersion: string, kind: string, name: string, more: object): Manifest => ({
    apiVersion,
    kind,
    metadata: { name, namespace: system },
    ...more,
  })
  const rbac = 'rbac.authorization.k8s.io'
  const daemon = 'frr-k8s-daemon'
  const subjects = [{ kind: 'ServiceAccount', name: daemon, namespace: system }]
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: `${daemon}-role` }
  const labels = { app: 'frr-k8s', component: 'frr-k8s' }
  const webhook = { namespace: system, name: 'frr-k8s-webhook-service' }
  return [
    ...['frrconfiguration', 'frrnodestate', 'bgpsessionstate', 'frrk8sconfiguration'].map(definition),
    { ...account, metadata: { name: daemon, namespace: system } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: `${daemon}-role` },
      rules: [configurations, rule('', ['nodes'], read)],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: `${daemon}-rolebinding` },
      roleRef,
      subjects,
    },
    named('v1', 'Secret', 'frr-k8s-webhook-server-cert', {}),
    named('v1', 'Service', webhook.name, {
      spec: { selector: { component: 'frr-k8s-statuscleaner' }, ports: [{ port: 443, targetPort: 19443 }] },
    }),
    startup(),
    named('apps/v1', 'Deployment', 'frr-k8s-statuscleaner', workload({ component: 'frr-k8s-statuscleaner' })),
    named('apps/v1', 'DaemonSet', 'frr-k8s', workload(labels)),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'frr-k8s-validating-webhook-configuration' },
      webhooks: [
        {
          name: 'frrconfigurationsvalidationwebhook.metallb.io',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          clientConfig: {
            service: { ...webhook, path: '/validate-frrk8s-metallb-io-v1beta1-frrconfiguration' },
          },
          rules: [
            {
              apiGroups: [frrGroup],
              apiVersions: ['v1beta1'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['frrconfigurations'],
            },
          ],
        },
      ],
    },
  ]
}

function workload(labels: Readonly<Record<string, string>>): object {
  const containers = [
    { name: 'frr-k8s', image: 'quay.io/metallb/frr-k8s:v0.0.25' },
    { name: 'frr', image: frrImage },
  ]
  const spec = { serviceAccountName: 'frr-k8s-daemon', hostNetwork: true, containers }
  return { spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } }
}

function definition(singular: string): Manifest {
  const plural = `${singular}s`
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${frrGroup}` },
    spec: {
      group: frrGroup,
      names: { kind: singular, plural, singular },
      scope: 'Namespaced',
      versions: [{ name: 'v1beta1', served: true, storage: true, schema }],
    },
  }
}

function mount(name: string, mountPath: string): Fields {
  return { name, mountPath }
}

function nameOf(object: Manifest): unknown {
  return fields(object['metadata'])['name']
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : []
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
