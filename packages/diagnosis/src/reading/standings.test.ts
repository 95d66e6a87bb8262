import { Readable } from 'node:stream'
import type { RequestParameters } from '@landfall/kube'
import { expect, test } from 'vitest'
import { readCase } from '../testing.ts'
import { readStandings, standingsIn } from './standings.ts'

const { view, target } = readCase('healthy')

function page(state: string): string {
  const resources = [{ type: 'scopes', name: 'http/shop.example.com', state, words: '' }]
  return JSON.stringify([{ host: 'shop.example.com', envoys: [{ node: 'envoy-n1', resources }] }])
}

function stand(answers: readonly (string | Error)[]) {
  const asked: RequestParameters[] = []
  const open = (parameters: RequestParameters) => {
    const answer = answers[Math.min(asked.push(parameters), answers.length) - 1] ?? ''
    return typeof answer === 'string' ? Promise.resolve(Readable.from([answer])) : Promise.reject(answer)
  }
  return { asked, cluster: { open } as Parameters<typeof readStandings>[0] }
}

test('each replica is asked about the names that may take the request', async () => {
  const { asked, cluster } = stand([page('held')])
  const found = await readStandings(cluster, view, target, 0)
  expect(asked.map(({ path, query }) => [path, query?.['hosts']])).toEqual(
    ['contour-1', 'contour-2'].map((name) => [
      `/api/v1/namespaces/projectcontour/pods/${name}:8000/proxy/envoys`,
      'shop.example.com,*.example.com,*',
    ]),
  )
  expect(found).toMatchObject({ kind: 'known' })
})

test('what is not in force yet is asked about once more', async () => {
  const { asked, cluster } = stand([page('behind'), page('behind'), page('held')])
  const found = await readStandings(cluster, view, target, 0)
  expect(asked).toHaveLength(4)
  const states = found.kind === 'known' && [...found.byHost.values()].flat().flatMap((one) => one.resources)
  expect(states).toMatchObject([{ state: 'held' }, { state: 'held' }])
})

test('who cannot be asked, or is no Landfall, is said', async () => {
  const { cluster } = stand([new Error('no route to host')])
  const why = expect.stringContaining('no route to host')
  expect(await readStandings(cluster, view, target, 0)).toEqual({ kind: 'unreadable', why })
  expect(standingsIn(new Map())).toEqual({ kind: 'unreadable', why: 'no replica of it is ready' })
})
