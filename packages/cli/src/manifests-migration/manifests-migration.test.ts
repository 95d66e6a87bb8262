import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { migrateManifests } from './index.ts'

/** What MetalLB's frr flavour has that matters here, of each kind one. */
const frr = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: speaker, namespace: metallb-system }
spec:
  selector: { matchLabels: { component: speaker } }
  template:
    spec:
      shareProcessNamespace: true
      hostNetwork: true
      initContainers:
      - { name: cp-frr-files, image: quay.io/frrouting/frr:10.5.3 }
      - { name: cp-reloader, image: quay.io/metallb/speaker:v0.16.1 }
      - { name: cp-metrics, image: quay.io/metallb/speaker:v0.16.1 }
      containers:
      - name: speaker
        image: quay.io/metallb/speaker:v0.16.1
        args: [--port=9120, --log-level=info, --bgp-debounce-timeout=1000]
        env:
        - { name: FRR_CONFIG_FILE, value: /etc/frr_reloader/frr.conf }
        - { name: FRR_RELOADER_PID_FILE, value: /etc/frr_reloader/reloader.pid }
        - { name: METALLB_BGP_TYPE, value: frr }
        - { name: METALLB_NODE_NAME, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
        securityContext:
          capabilities: { drop: [ALL], add: [NET_RAW, NET_ADMIN] }
        volumeMounts:
        - { name: memberlist, mountPath: /etc/ml_secret_key }
        - { name: metrics-certs, mountPath: /tmp/k8s-metrics-server/metrics-certs }
        - { name: reloader, mountPath: /etc/frr_reloader }
      - { name: frr, image: quay.io/frrouting/frr:10.5.3 }
      - { name: reloader, image: quay.io/frrouting/frr:10.5.3 }
      - { name: frr-metrics, image: quay.io/frrouting/frr:10.5.3 }
      - { name: kube-rbac-proxy, image: proxy }
      volumes:
      - { name: frr-sockets, emptyDir: {} }
      - { name: frr-startup, configMap: { name: frr-startup } }
      - { name: frr-conf, emptyDir: {} }
      - { name: reloader, emptyDir: {} }
      - { name: metrics, emptyDir: {} }
      - { name: metrics-certs, secret: { secretName: metrics-certs } }
      - { name: memberlist, secret: { secretName: memberlist } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: frr-startup, namespace: metallb-system }
data: { daemons: bgpd=yes }
`

const controller = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: controller, namespace: metallb-system }
spec:
  template:
    spec:
      containers:
      - name: controller
        image: quay.io/metallb/controller:v0.16.1
        args: [--port=9120, --webhook-mode=enabled]
        ports:
        - { name: metricshttps, containerPort: 9120 }
        - { name: webhook-server, containerPort: 9443 }
        volumeMounts: [{ name: cert, mountPath: /tmp/k8s-webhook-server/serving-certs }]
      volumes: [{ name: cert, secret: { secretName: metallb-webhook-cert } }]
---
apiVersion: v1
kind: List
items:
- { apiVersion: v1, kind: Secret, metadata: { name: metallb-webhook-cert, namespace: metallb-system } }
- { apiVersion: v1, kind: Service, metadata: { name: metallb-webhook-service, namespace: metallb-system } }
- { apiVersion: v1, kind: Service, metadata: { name: other, namespace: metallb-system } }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: metallb-webhook-configuration }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: bgppeers.metallb.io }
spec: { group: metallb.io, conversion: { strategy: Webhook }, scope: Namespaced }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: frrconfigurations.frrk8s.metallb.io }
spec: { group: frrk8s.metallb.io }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: frr-k8s, namespace: metallb-system }
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: { name: speaker }
`

function migrated(texts: readonly string[], version: string, registry?: string): string {
  const files = texts.map((text, index) => ({ name: `${index + 1}.yaml`, text }))
  return migrateManifests(files, version, registry)
}

function objectsOf(text: string): readonly unknown[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((one) => one !== null)
}

function notesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith('# '))
}

describe('manifests of MetalLB', () => {
  it('lose FRR and all that serves it', () => {
    const printed = migrated([frr], '1.2.3')
    expect(objectsOf(printed)).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'speaker', namespace: 'metallb-system' },
        spec: {
          selector: { matchLabels: { component: 'speaker' } },
          template: {
            spec: {
              hostNetwork: true,
              containers: [
                {
                  name: 'speaker',
                  image: 'landfall/speaker:1.2.3',
                  args: ['--port=9120', '--log-level=info'],
                  env: [
                    { name: 'METALLB_NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                  ],
                  securityContext: { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
                  volumeMounts: [
                    { name: 'memberlist', mountPath: '/etc/ml_secret_key' },
                    { name: 'metrics-certs', mountPath: '/tmp/k8s-metrics-server/metrics-certs' },
                  ],
                },
                { name: 'kube-rbac-proxy', image: 'proxy' },
              ],
              volumes: [
                { name: 'metrics-certs', secret: { secretName: 'metrics-certs' } },
                { name: 'memberlist', secret: { secretName: 'memberlist' } },
              ],
            },
          },
        },
      },
    ])
    const [changed = '', dropped] = notesOf(printed)
    for (const part of [
      'init container cp-frr-files',
      'container frr-metrics',
      'volume frr-sockets',
      'variable METALLB_BGP_TYPE',
      'capability NET_ADMIN',
      'flag --bgp-debounce-timeout=1000',
      'shareProcessNamespace',
    ])
      expect(changed).toContain(part)
    expect(dropped).toMatch(/^# dropped ConfigMap metallb-system\/frr-startup: /)
  })

  it('lose the webhooks, frr-k8s and what Kubernetes has no more', () => {
    const printed = migrated([controller], '1.2.3')
    expect(objectsOf(printed)).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'controller', namespace: 'metallb-system' },
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'controller',
                  image: 'landfall/controller:1.2.3',
                  args: ['--port=9120'],
                  ports: [{ name: 'metricshttps', containerPort: 9120 }],
                },
              ],
            },
          },
        },
      },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other', namespace: 'metallb-system' } },
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'bgppeers.metallb.io' },
        spec: { group: 'metallb.io', scope: 'Namespaced' },
      },
    ])
    expect(notesOf(printed)).toHaveLength(8)
  })

  it('lose the rights to frr-k8s, and no others', () => {
    const role = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: speaker }
rules:
- { apiGroups: [metallb.io, frrk8s.metallb.io], resources: ['*'], verbs: [get, list, watch] }
- { apiGroups: [frrk8s.metallb.io], resources: [frrconfigurations], verbs: ['*'] }
- { nonResourceURLs: [/metrics], verbs: [get] }
`
    const printed = migrated([frr, role], '1.2.3')
    expect(objectsOf(printed)[1]).toMatchObject({
      rules: [
        { apiGroups: ['metallb.io'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
        { nonResourceURLs: ['/metrics'], verbs: ['get'] },
      ],
    })
    expect(notesOf(printed)).toContain(
      '# changed ClusterRole speaker: without its rights to frrk8s.metallb.io',
    )
  })

  it('name a registry that is given', () => {
    const printed = migrated([frr, controller], '1.2.3', 'registry.example.com:5000/team')
    const images = printed.match(/(?<=image: )\S*landfall\S*$/gm)
    expect(images).toEqual([
      'registry.example.com:5000/team/landfall/speaker:1.2.3',
      'registry.example.com:5000/team/landfall/controller:1.2.3',
    ])
    expect(notesOf(printed)[0]).toContain('image registry.example.com:5000/team/landfall/speaker:1.2.3,')
  })

  it('are printed the same when they are read again', () => {
    const once = migrated([frr, controller], '1.2.3')
    expect(objectsOf(migrated([once], '1.2.3'))).toEqual(objectsOf(once))
  })

  it('are refused where no program is in them', () => {
    expect(() => migrated(['apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n'], '1')).toThrow(
      /neither a controller nor a speaker/,
    )
  })

  it.each([
    ['kind: A\n---\nmetadata: { name: a\nkind: B\n', /^2\.yaml:4: Flow map/],
    ['kind: A\nmetadata:\n\tname: a\n', /^2\.yaml:3: Tabs/],
    ['kind: A\n---\nkind: B\nmetadata: *none\n', /^2\.yaml:2: Unresolved alias.*none/],
  ])('are refused by file and line where they are no YAML: %j', (text, said) => {
    expect(() => migrated([frr, text], '1')).toThrow(said)
  })
})
