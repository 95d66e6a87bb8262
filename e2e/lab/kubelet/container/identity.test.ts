import { expect, test } from 'vitest'
import type { PodSecurityContext, SecurityContext } from '../api/pod.ts'
import { processIdentity, setprivArguments } from './identity.ts'

const metadata = { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1' }

function identity(shared: PodSecurityContext, own: SecurityContext, imageUser = 0) {
  const container = { name: 'c', image: 'i', securityContext: own }
  return processIdentity(
    { metadata, spec: { securityContext: shared, containers: [container] } },
    container,
    imageUser,
  )
}

test('container before pod before image', () => {
  expect(identity({ runAsUser: 2 }, { runAsUser: 3 }, 1)).toMatchObject({ ok: true, identity: { uid: 3 } })
  expect(identity({ runAsUser: 2 }, {}, 1)).toMatchObject({ ok: true, identity: { uid: 2 } })
  expect(identity({}, {}, 1)).toMatchObject({ ok: true, identity: { uid: 1, gid: 0 } })
})

test('runAsNonRoot refuses uid 0, and the problem comes with those of the capabilities', () => {
  expect(identity({ runAsNonRoot: true }, { capabilities: { add: ['FLY'] } })).toEqual({
    ok: false,
    problems: ['container c has runAsNonRoot and would run as uid 0', 'container c: unknown capability fly'],
  })
  expect(identity({ runAsNonRoot: true }, { runAsNonRoot: false })).toMatchObject({ ok: true })
})

test('root with nothing but NET_RAW, as setpriv is told', () => {
  const outcome = identity(
    { fsGroup: 7, supplementalGroups: [5, 7] },
    { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
  )
  expect(outcome.ok && setprivArguments(outcome.identity)).toEqual([
    '--reuid=0',
    '--regid=0',
    '--groups=5,7',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--bounding-set=-all,+net_raw',
    '--no-new-privs',
    '--pdeathsig=KILL',
  ])
})
