/**
 * What Landfall wrote into objects that are not its own, and the same object without it. Whose a status is, is known
 * from the field managers that the API server keeps; what others wrote stays. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import type { RawObject } from '@landfall/kube'

/** Each gives undefined where there is nothing of ours. */
export type Clearing = (raw: RawObject) => RawObject | undefined

const pool = 'metallb.io/ip-allocated-from-pool'
const programs = ['landfall-controller', 'landfall-serve']
/** As the definition fills it in when an HTTPProxy is made. */
const fresh = { currentStatus: 'NotReconciled', description: 'Waiting for controller' }

/** A Service: its addresses, and the annotation that names their pool. Either tells that it had them from us. */
export const withoutAddress: Clearing = (service) => {
  const { [pool]: from, ...annotations } = service.metadata.annotations ?? {}
  if (from === undefined && !owns(service, 'loadBalancer')) return undefined
  return ifDifferent(service, {
    ...service,
    metadata: { ...service.metadata, annotations },
    status: { ...fields(service['status']), loadBalancer: {} },
  })
}

/** An Ingress: the addresses of Envoy. */
export const withoutEnvoy: Clearing = (ingress) => {
  if (!owns(ingress, 'loadBalancer')) return undefined
  return ifDifferent(ingress, {
    ...ingress,
    status: { ...fields(ingress['status']), loadBalancer: {} },
  })
}

/** An HTTPProxy: as if nobody had looked at it yet. */
export const withoutVerdict: Clearing = (proxy) => {
  if (!owns(proxy, 'currentStatus') && !owns(proxy, 'loadBalancer')) return undefined
  const all: unknown = fields(proxy['status'])['conditions']
  const conditions = Array.isArray(all) ? all.filter((one) => fields(one)['type'] !== 'Valid') : []
  return ifDifferent(proxy, {
    ...proxy,
    status: { ...fresh, ...(conditions.length === 0 ? {} : { conditions }) },
  })
}

/** Whether one of our programs was the last to write this field of the status. */
function owns(raw: RawObject, field: string): boolean {
  const managers = raw.metadata['managedFields']
  if (!Array.isArray(managers)) return false
  return managers.map(fields).some(({ manager, fieldsV1 }) => {
    const ours = typeof manager === 'string' && programs.includes(manager)
    return ours && `f:${field}` in fields(fields(fieldsV1)['f:status'])
  })
}

function ifDifferent(before: RawObject, after: RawObject): RawObject | undefined {
  const seen = { ...before, metadata: { ...before.metadata, annotations: before.metadata.annotations ?? {} } }
  return isDeepStrictEqual(after, seen) || isDeepStrictEqual(after, before) ? undefined : after
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
