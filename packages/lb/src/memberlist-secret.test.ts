import { ApiError, type Cluster, type RawObject } from '@landfall/kube'
import { silentLogger } from '@landfall/telemetry'
import { expect, it } from 'vitest'
import { ensureMemberlistSecret } from './memberlist-secret.ts'

function ensure(
  answer: () => Promise<RawObject>,
  deployment = '',
  get: Cluster['get'] = () => Promise.reject(new ApiError('GET /deployments', 403, '', 'no')),
): {
  readonly made: RawObject[]
  readonly done: Promise<void>
} {
  const made: RawObject[] = []
  const create: Cluster['create'] = (_, object) => {
    made.push(object)
    return answer()
  }
  const cluster = { create, get }
  const signal = new AbortController().signal
  const names = { namespace: 'metallb-system', name: 'memberlist', deployment }
  const retry = { firstMs: 1, ceilingMs: 1 }
  const done = ensureMemberlistSecret({ cluster, ...names, logger: silentLogger(), signal, retry })
  return { made, done }
}

it('makes a Secret with a key of its own each time', async () => {
  const first = ensure(async () => ({ metadata: { name: 'memberlist' } }))
  const second = ensure(async () => ({ metadata: { name: 'memberlist' } }))
  await Promise.all([first.done, second.done])
  expect(first.made).toMatchObject([
    { kind: 'Secret', metadata: { namespace: 'metallb-system', name: 'memberlist' }, type: 'Opaque' },
  ])
  expect(first.made[0]?.['stringData']).not.toEqual(second.made[0]?.['stringData'])
})

it('leaves one that is there', async () => {
  const { made, done } = ensure(() => Promise.reject(new ApiError('POST /secrets', 409, '', 'no')))
  await done
  expect(made.length).toBe(1)
})

it('goes on asking for a right that is missing, as it is while the API server starts', async () => {
  const answers = [403, 403, 403, 403, 0]
  const { made, done } = ensure(() => {
    const status = answers.shift()
    if (status) return Promise.reject(new ApiError('POST /secrets', status, '', 'no'))
    return Promise.resolve({ metadata: { name: 'memberlist' } })
  })
  await done
  expect(made.length).toBe(5)
})

it('lets the Deployment that was named own it, where that may be read', async () => {
  const made = () => Promise.resolve({ metadata: { name: 'memberlist' } })
  const owned = ensure(made, 'controller', () =>
    Promise.resolve({ metadata: { name: 'controller', uid: 'u' } }),
  )
  const refused = ensure(made, 'controller')
  await Promise.all([owned.done, refused.done])
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'controller', uid: 'u' }]
  expect(owned.made[0]?.metadata).toMatchObject({ ownerReferences })
  expect(refused.made[0]?.metadata).toEqual({ namespace: 'metallb-system', name: 'memberlist' })
})
