/** Which ConfigMap is meant: the one that the controller's flag names. */
import { expect, test } from 'vitest'
import { configMapName } from './facts/config-map.ts'
import { observe } from './reading/observe.ts'
import { listsFor, places } from './testing.ts'

function controller(args: readonly string[], namespace = places.system) {
  const metadata = { namespace, name: 'controller-0', labels: { component: 'controller' } }
  return { kind: 'Pod', metadata, spec: { containers: [{ name: 'main', args }] }, status: {} }
}

test.each([
  [[], 'config'],
  [['--port=7472'], 'config'],
  [['--config=pools'], 'pools'],
  [['--port=7472', '-config=pools'], 'pools'],
  [['--config', 'pools', '--port=7472'], 'pools'],
  [['--config-ns=elsewhere'], 'config'],
])('%j: %s', (args, name) => {
  expect(configMapName(observe(listsFor([controller(args)]), places))).toBe(name)
})

test('no controller, or only one of somebody else', () => {
  expect(configMapName(observe(listsFor([]), places))).toBe('config')
  expect(configMapName(observe(listsFor([controller(['--config=x'], 'kube-system')]), places))).toBe('config')
})
