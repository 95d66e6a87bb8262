import { expect, test } from 'vitest'
import { printManifests } from './render.ts'
import { render } from './testing.ts'

const both = 'component "metallb" {}\ncomponent "contour" {}\n'

async function imagesOf(registry?: string): Promise<readonly string[]> {
  const result = await render(both, registry === undefined ? {} : { registry })
  const printed = printManifests(result.ok ? result.components : [])
  return [...new Set(printed.match(/(?<=^ +image: ).*$/gm))].toSorted()
}

test('every image of Landfall is of the registry that is given, and Envoy’s is not', async () => {
  const [envoy = '', ...own] = await imagesOf()
  expect(envoy).toMatch(/^envoyproxy\/envoy:/)
  expect(own).toEqual(['landfall/contour:1.2.3', 'landfall/controller:1.2.3', 'landfall/speaker:1.2.3'])
  const registry = 'registry.example.com:5000/team'
  expect(await imagesOf(registry)).toEqual([envoy, ...own.map((image) => `${registry}/${image}`)])
})
