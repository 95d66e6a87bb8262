import { expect, test } from 'vitest'
import type { Container, Pod } from '../api/pod.ts'
import { commandLine, containerPlan } from './plan.ts'

const image = { entrypoint: ['/program'], arguments: ['serve'], files: [] }

test.each([
  [{}, ['/program', 'serve']],
  [{ args: ['x', '$(A)'] }, ['/program', 'x', 'one']],
  [{ command: ['other'] }, ['other']],
  [{ command: ['$(A)'], args: ['y'] }, ['one', 'y']],
  [{ command: [], args: [] }, ['/program', 'serve']],
])('command line of %j', (container, wanted) => {
  expect(commandLine(container, image, new Map([['A', 'one']]))).toEqual(wanted)
})

function plan(container: Container) {
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1' },
    spec: { containers: [container] },
  }
  return containerPlan({
    pod,
    container,
    place: { podIPs: [], hostIPs: [], capacity: { cpu: 1, memory: 1 } },
    secret: () => undefined,
    configMap: () => undefined,
    apiServer: { host: '10.96.0.1', port: 443 },
    images: new Map([['known', image]]),
    hostname: 'p',
    networkNamespace: undefined,
    mounts: () => [],
    writeScript: (path) => path,
  })
}

test('an unknown image names itself and the file to add it to', () => {
  expect(plan({ name: 'c', image: 'a/b:1' })).toEqual({
    ok: false,
    reason: 'ErrImagePull',
    message: 'no program stands for image "a/b:1"; e2e/lab/images/image-map.ts says which images there are',
  })
})

test('everything that keeps a container from starting is told at once', () => {
  const outcome = plan({
    name: 'c',
    image: 'known',
    securityContext: { runAsNonRoot: true },
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
  })
  expect(outcome).toEqual({
    ok: false,
    reason: 'CreateContainerConfigError',
    message: 'container c has runAsNonRoot and would run as uid 0; secret "s" not found',
  })
})

test('HOME follows the user, and the spec wins over the defaults', () => {
  const outcome = plan({
    name: 'c',
    image: 'known',
    securityContext: { runAsUser: 9 },
    env: [{ name: 'PATH', value: '/own' }],
  })
  if (!outcome.ok) throw new Error(outcome.message)
  expect(Object.fromEntries(outcome.plan.environment)).toMatchObject({
    HOME: '/',
    PATH: '/own',
    HOSTNAME: 'p',
  })
})
