import { expect, test } from 'vitest'
import { objectOf, problemsOf } from '../testing.ts'

const contour = (text: string) => `component "contour" {\n${text}\n}\n`

test.each([
  ['toleration { value = "a" }', 'without a key the operator must be "Exists"'],
  ['toleration { operator = "exists" }', 'operator = "exists" is none of Equal, Exists'],
  [
    'toleration {\n key = "a"\n effect = "No"\n}',
    'effect = "No" is none of NoSchedule, PreferNoSchedule, NoExecute',
  ],
  ['toleration {\n key = "a"\n operator = "Exists"\n value = "b"\n}', 'operator = "Exists" takes no value'],
  ['toleration {\n key = "a"\n toleration_seconds = 1.5\n}', 'takes a whole number, not a number'],
  ['node_affinity { operator = "Exists" }', 'key is missing'],
  ['node_affinity { key = "a" }', 'operator is missing: In, NotIn, Exists, DoesNotExist, Gt, Lt'],
  ['node_affinity {\n key = "a"\n operator = "In"\n}', 'values is missing'],
  [
    'envoy { metrics_scrape_interval = "15s" }',
    'metrics_scrape_interval does nothing without enable_monitoring = true',
  ],
  ['enable_monitoring = true\nenvoy { metrics_scrape_interval = "15" }', 'is no duration, as "15s"'],
  ['enable_monitoring = true\nenvoy {}\nenvoy {}', 'envoy: may be given once'],
  ['enable_monitoring = true\nservice_monitor = false', 'says other than enable_monitoring'],
  ['service_type = "ClusterIP"', 'service_type = "ClusterIP" is none of LoadBalancer, NodePort'],
])('%s: %s', async (text, told) => {
  expect((await problemsOf(contour(text))).join('\n')).toContain(told)
})

test('nodes and taints hold for contour, envoy and the certificate Job, beside what the manifests ask', async () => {
  const text = contour(`
    node_affinity {
      key = "ingress"
      operator = "In"
      values = ["true", "yes"]
    }
    node_affinity {
      key = "old"
      operator = "DoesNotExist"
    }
    toleration {
      key = "ingress"
      operator = "Exists"
      effect = "NoExecute"
      toleration_seconds = 30
    }`)
  for (const name of ['Deployment contour', 'DaemonSet envoy', 'Job contour-certgen-v1-2-3']) {
    expect(await objectOf(name, text)).toMatchObject({
      spec: {
        template: {
          spec: {
            nodeSelector: { 'kubernetes.io/os': 'linux' },
            tolerations: [{ key: 'ingress', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }],
            affinity: {
              nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                  nodeSelectorTerms: [
                    {
                      matchExpressions: [
                        { key: 'ingress', operator: 'In', values: ['true', 'yes'] },
                        { key: 'old', operator: 'DoesNotExist' },
                      ],
                    },
                  ],
                },
              },
            },
          },
        },
      },
    })
  }
  const anti = { spec: { template: { spec: { affinity: { podAntiAffinity: expect.anything() } } } } }
  expect(await objectOf('Deployment contour', text)).toMatchObject(anti)
})

test('Service envoy has hosts and type as given', async () => {
  const text = contour('ingress_hosts = ["a.example.com", "b.example.com"]\nservice_type = "NodePort"')
  expect(await objectOf('Service envoy', text)).toMatchObject({
    metadata: {
      annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'a.example.com,b.example.com' },
    },
    spec: {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      ports: [
        { name: 'http', port: 80, nodePort: 30080 },
        { name: 'https', port: 443, nodePort: 30443 },
      ],
    },
  })
})
