import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { type Layout, layouts } from '../xds/layout.ts'
import { readObjects } from './objects.ts'
import { proxyObject, serviceObjects } from './traffic.ts'

const service = serviceObjects('shop', [{ http: 80 }])
const to = 'services: [{name: shop, port: 80}]'

/** The names of the clusters for one host with such routes. */
function clusters(layout: Layout, ...routes: readonly string[]): readonly string[] {
  const objects = [service, proxyObject('shop', `routes: [${routes.map((one) => `{${one}}`).join(', ')}]`)]
  const { changes, slices } = readObjects(objects.join(''))
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, { ...defaultEngineOptions, layout })
  engine.apply(changes)
  engine.applySlices(slices)
  return [...engine.snapshot().clusters.keys()]
}

/** As an Envoy of Contour 1.33.8 shows them. */
test.each([
  ['Cookie', `${to}, loadBalancerPolicy: {strategy: Cookie}`, 'e4f81994fe'],
  ['a health check', `${to}, healthCheckPolicy: {path: /, intervalSeconds: 5}`, 'f556160449'],
  ['connections that end', `${to}, timeoutPolicy: {idleConnection: 90s}`, '983ac30a74'],
])('on the bootstrap of Contour a cluster with %s has the name that Contour gave it', (_, route, hash) => {
  const own = clusters('classic', route)
  expect(own).toHaveLength(1)
  expect(clusters('scoped', route)).toEqual(own)
  const former = [`web/shop/80/${hash}`]
  expect(own).not.toEqual(former)
  expect(clusters('classic-streams', route)).toEqual(former)
})

test('one of no settings has the same name everywhere, and one to another host not', () => {
  const host = 'requestHeadersPolicy: {set: [{name: Host, value: a.test}]}'
  const usual = 'web/shop/80/da39a3ee5e'
  for (const layout of layouts) expect(clusters(layout, to)).toEqual([usual])
  expect(clusters('classic', `${to}, ${host}`)).toEqual([usual])
  expect(clusters('classic-streams', `${to}, ${host}`)).not.toContain(usual)
})

test('of which that name does not say all, one has its own, too, and takes the name from no other', () => {
  const health = (rest: string) => `${to}, healthCheckPolicy: {path: /, intervalSeconds: 5${rest}}`
  const own = clusters('classic', health(', host: a.test'))
  const former = 'web/shop/80/f556160449'
  expect(clusters('classic-streams', health(', host: a.test')).toSorted()).toEqual(
    [former, ...own].toSorted(),
  )
  const both = clusters(
    'classic-streams',
    health(', host: a.test'),
    `conditions: [{prefix: /b}], ${health('')}`,
  )
  expect(both.toSorted()).toEqual([former, ...own].toSorted())
})

test.each([
  ['timeoutSeconds: 5', 'intervalSeconds: 5'],
  ['unhealthyThresholdCount: 5', 'healthyThresholdCount: 5'],
])('%s is not taken for %s', (one, another) => {
  const health = (rest: string) => `healthCheckPolicy: {path: /, ${rest}}`
  const routes = [`${to}, ${health(one)}`, `conditions: [{prefix: /b}], ${to}, ${health(another)}`]
  expect(clusters('classic-streams', ...routes).length).toBeGreaterThan(1)
})
