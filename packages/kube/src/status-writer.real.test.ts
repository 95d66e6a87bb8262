/** What a real API server says where a right is missing, and where admission denies one object. */
import { silentLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from './cluster.ts'
import { serviceType } from './core-types.ts'
import { customType, type RawObject } from './resource.ts'
import { StatusWriter } from './status-writer.ts'
import { serviceObject } from './testing/objects.ts'
import { RealApiServer, withoutApiServer } from './testing/real-api-server.ts'
import { recreate } from './testing/recreate.ts'

const admission = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false }
const policyType = customType({
  ...admission,
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
})
const bindingType = customType({
  ...admission,
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
})
const { apiVersion } = policyType
const policy = {
  apiVersion,
  kind: policyType.kind,
  metadata: { name: 'deny' },
  spec: {
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['services/status'] },
      ],
    },
    validations: [{ expression: "object.metadata.name != 'denied'", message: 'no', reason: 'Forbidden' }],
  },
}
const binding = {
  apiVersion,
  kind: bindingType.kind,
  metadata: { name: 'deny' },
  spec: { policyName: 'deny', validationActions: ['Deny'] },
}
const patient = { firstMs: 60_000, ceilingMs: 60_000 }

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster

  beforeAll(async () => {
    server = await RealApiServer.start({ nobody: 'nobody' })
    cluster = server.cluster()
    for (const name of ['denied', 'other']) await cluster.create(serviceType, serviceObject(name))
  }, 90_000)

  afterAll(async () => {
    cluster?.close()
    await server?.stop()
  })

  let turn = 0
  const change = (raw: RawObject): RawObject => ({
    ...raw,
    metadata: { ...raw.metadata, annotations: { ...raw.metadata.annotations, turn: `${turn++}` } },
  })
  /** Policies come into force, and go out of it, after a while. */
  const comesTo = async (outcome: string) => {
    for (;;) {
      const writer = new StatusWriter(cluster, silentLogger(), patient)
      if ((await writer.write(serviceType, 'default/denied', change)) === outcome) return writer
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  it('a denial is of one object, for as long as it is denied', async () => {
    await recreate(cluster, policyType, policy)
    await recreate(cluster, bindingType, binding)
    const writer = await comesTo('forbidden')
    expect(writer.forbiddenMs(serviceType, 'default/denied')).toBeGreaterThan(0)
    expect(await writer.write(serviceType, 'default/other', change)).toBe('written')
    await cluster.delete(bindingType, 'deny')
    await comesTo('written')
  })

  it('a right that is missing is of all objects of the kind', async () => {
    const stranger = server.cluster('nobody')
    const writer = new StatusWriter(stranger, silentLogger(), patient)
    const observed = await cluster.get(serviceType, 'default/other')
    expect(await writer.write(serviceType, 'default/other', change, { observed })).toBe('forbidden')
    expect(writer.forbiddenMs(serviceType, 'default/denied')).toBeGreaterThan(0)
    expect(await writer.write(serviceType, 'default/denied', change)).toBe('forbidden')
    stranger.close()
  })
})
