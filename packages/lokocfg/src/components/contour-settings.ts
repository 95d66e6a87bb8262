/** ConfigMap `contour`, in which Contour has its settings, and the Deployment that reads it. */
import type { Manifest } from '@landfall/manifests'
import { fieldsOf } from './placement.ts'

export const settingsName = 'contour'
const file = 'contour.yaml'
const folder = '/config'
const volume = 'contour-config'

/** What holds without it, too. */
const initial = `# Settings of contour serve, which follows them. docs/configuration.md says what may stand here.
disablePermitInsecure: false
`

export function settings(namespace: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: settingsName, namespace, labels: { app: 'contour' } },
    data: { [file]: initial },
  }
}

/** The same Deployment, whose programs read the ConfigMap. */
export function withSettings(deployment: Manifest): Manifest {
  const spec = fieldsOf(deployment['spec'])
  const template = fieldsOf(spec['template'])
  const pod = fieldsOf(template['spec'])
  const containers = listOf(pod['containers']).map((one) => ({
    ...fieldsOf(one),
    args: [...listOf(fieldsOf(one)['args']), `--config-path=${folder}/${file}`],
    volumeMounts: [
      ...listOf(fieldsOf(one)['volumeMounts']),
      { name: volume, mountPath: folder, readOnly: true },
    ],
  }))
  const volumes = [...listOf(pod['volumes']), { name: volume, configMap: { name: settingsName } }]
  return {
    ...deployment,
    spec: { ...spec, template: { ...template, spec: { ...pod, containers, volumes } } },
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
