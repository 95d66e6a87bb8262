import { expect, test } from 'vitest'
import { dotOf } from '../debug/dot.ts'
import { graphOf } from '../debug/graph.ts'
import { svgOf } from '../debug/svg.ts'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { readObjects } from './objects.ts'
import { pem, proxyObject, secretObject, serviceObjects } from './traffic.ts'

const objects = [
  secretObject('cert', { 'tls.crt': pem('server.pem'), 'tls.key': pem('server.key') }),
  serviceObjects('one', [{ http: 8080 }]),
  serviceObjects('two', [{ http: 8080 }]),
  proxyObject(
    'shop',
    `routes: [{conditions: [{prefix: /a}, {header: {name: x-mark, exact: '"<b>&'}}], services: [{name: one, port: 80, weight: 9}, {name: two, port: 80, weight: 1}]},
     {conditions: [{prefix: /gone}], directResponsePolicy: {statusCode: 410}}]`,
    ', tls: {secretName: cert}',
  ),
].join('')

function graph() {
  const { changes } = readObjects(objects)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, defaultEngineOptions)
  engine.apply(changes)
  return graphOf(engine.virtualHosts())
}

test('the graph leads from listeners by hosts and routes to clusters', () => {
  const { nodes, edges } = graph()
  const of = (column: string) => nodes.filter((node) => node.column === column).map(({ lines }) => lines)
  expect(of('listener')).toEqual([['ingress_http'], ['ingress_https']])
  expect(of('host')).toEqual([['shop.test'], ['shop.test', 'secret web/cert']])
  expect(of('route').filter(([, , action]) => action === 'answer 410')).toHaveLength(1)
  expect(of('cluster')).toEqual([
    [expect.stringMatching(/^web\/one\/80\//)],
    [expect.stringMatching(/^web\/two\/80\//)],
  ])
  expect(edges.flatMap(({ weight }) => weight ?? [])).toEqual([9, 1])
  const ids = new Set(nodes.map(({ id }) => id))
  expect(edges.filter(({ from, to }) => !ids.has(from) || !ids.has(to))).toEqual([])
})

test('as DOT and as SVG every node is there, and what a name holds is escaped', () => {
  const drawn = graph()
  const dot = dotOf(drawn)
  expect(dot).toMatch(/^digraph DAG \{\nrankdir=LR\n/)
  expect(dot.match(/ \[shape=/g)).toHaveLength(drawn.nodes.length)
  expect(dot.match(/ -> /g)).toHaveLength(drawn.edges.length)
  const svg = svgOf(drawn)
  expect(svg.match(/<rect /g)).toHaveLength(drawn.nodes.length)
  expect(svg.match(/<path /g)).toHaveLength(drawn.edges.length)
  expect(svg).not.toContain('<b>')
})
