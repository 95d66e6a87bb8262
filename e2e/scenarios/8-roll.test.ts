/** The Envoys are replaced under 500 requests a second, and nobody loses by it: counts, not times. The drill has the times. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { provideExample } from '../drill/outages.ts'
import { rollOnce } from '../drill/roll.ts'
import { scenarioLab } from './site.ts'

const lab = scenarioLab()

beforeAll(() => provideExample(lab))

afterAll(() => lab.kubectl(['delete', 'namespace', 'hello', '--wait=false']))

it('the Envoys are replaced one after the other: no request is lost through the external address', async () => {
  const { lost, by, sent } = await rollOnce(lab)
  expect({ lost, by }).toEqual({ lost: 0, by: '' })
  expect(sent).toBeGreaterThan(1000)
})
