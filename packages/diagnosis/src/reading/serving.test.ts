import { expect, test } from 'vitest'
import { listsFor, places } from '../testing.ts'
import { observe } from './observe.ts'
import { type ServeFlags, servingOf } from './serving.ts'

const pod = {
  kind: 'Pod',
  metadata: { namespace: 'projectcontour', name: 'contour-1', labels: { app: 'contour' } },
  spec: { containers: [{ name: 'contour', command: ['contour'], args: ['serve', '--one'] }] },
  status: { phase: 'Running' },
}
const file = {
  kind: 'ConfigMap',
  metadata: { namespace: 'projectcontour', name: 'contour' },
  data: { 'contour.yaml': 'disablePermitInsecure: true\n' },
}
const object = {
  kind: 'ContourConfiguration',
  metadata: { namespace: 'projectcontour', name: 'mine' },
  spec: { ingress: { classNames: ['theirs'] } },
}
const none: ServeFlags = { settings: {}, configPath: undefined, contourConfigName: undefined }

function serving(flags: ServeFlags | undefined, ...objects: readonly object[]) {
  const lists = listsFor([...objects])
  const asked: unknown[] = []
  const read = (args: readonly string[]) => {
    asked.push(args)
    return flags
  }
  return { ...servingOf(lists, observe(lists, places), read, undefined), asked }
}

test('without a pod the defaults hold', () => {
  const { options, entry, asked } = serving(none)
  expect([options.classes, entry, asked]).toEqual([[], 'projectcontour/envoy', []])
})

test('what the pod is started with holds', () => {
  const settings = { ingressClasses: ['ours'], envoyServiceName: 'front', envoyServiceNamespace: 'edge' }
  const { options, entry, asked, source } = serving({ ...none, settings }, pod)
  expect([options.classes, entry, asked]).toEqual([['ours'], 'edge/front', [['--one']]])
  expect(source).toBe('pod projectcontour/contour-1')
})

test('a file is that of the ConfigMap; a flag goes before it', () => {
  const configPath = '/config/contour.yaml'
  const { options } = serving({ ...none, configPath }, pod, file)
  expect(options.dag.disablePermitInsecure).toBe(true)
  const flagged = serving({ ...none, configPath, settings: { disablePermitInsecure: false } }, pod, file)
  expect(flagged.options.dag.disablePermitInsecure).toBe(false)
})

test('an object goes before flags', () => {
  const settings = { ingressClasses: ['ours'] }
  const { options } = serving({ ...none, settings, contourConfigName: 'mine' }, pod, object)
  expect(options.classes).toEqual(['theirs'])
})
