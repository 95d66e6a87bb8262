/**
 * What Landfall wrote into objects that are not its own, and the same object without it. Whose a status is, is known
 * from the field managers that the API server keeps; what others wrote stays. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import type { RawObject } from '@landfall/kube'

/** Each gives undefined where there is nothing of ours. */
export type Clearing = (raw: RawObject) => RawObject | undefined

const pool = 'metallb.io/ip-allocated-from-pool'
const conditionPrefix = 'metallb.io/'
const programs = ['landfall-controller', 'landfall-serve']
const ownConditions = ['Valid', 'Programmed']
/** As the definition fills it in when an HTTPProxy is made. */
const fresh = { currentStatus: 'NotReconciled', description: 'Waiting for controller' }

/**
 * A Service: its addresses, the annotation that names their pool, and the conditions that say why it has them or not.
 * The annotation alone tells that the addresses are from a pool of ours: they may have been there before us.
 */
export const withoutAddress: Clearing = (service) => {
  const { [pool]: from, ...annotations } = service.metadata.annotations ?? {}
  const { conditions, ...status } = fields(service['status'])
  const kept = without(conditions, (type) => type.startsWith(conditionPrefix))
  const given = from !== undefined || owns(service, 'loadBalancer')
  return ifDifferent(service, {
    ...service,
    metadata: { ...service.metadata, annotations },
    status: {
      ...status,
      ...(kept.length === 0 ? {} : { conditions: kept }),
      ...(given ? { loadBalancer: {} } : {}),
    },
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
  const conditions = without(fields(proxy['status'])['conditions'], (type) => ownConditions.includes(type))
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

function without(conditions: unknown, ours: (type: string) => boolean): readonly unknown[] {
  return Array.isArray(conditions) ? conditions.filter((one) => !ours(String(fields(one)['type']))) : []
}

function ifDifferent(before: RawObject, after: RawObject): RawObject | undefined {
  return isDeepStrictEqual(comparable(after), comparable(before)) ? undefined : after
}

/** Absent annotations, conditions and statuses are the same as empty ones. */
function comparable(raw: RawObject): unknown {
  const { conditions = [], ...status } = fields(raw['status'])
  return [raw.metadata.annotations ?? {}, status, conditions]
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
