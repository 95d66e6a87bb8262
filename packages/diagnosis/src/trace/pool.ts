/** Step 2: the pool that the address is from. */
import { keyOf } from '@landfall/kube/model'
import { type About, adviceOn } from '../facts/advice.ts'
import { correction } from '../facts/allocation-lack.ts'
import { conditionOf } from '../facts/condition.ts'
import { statedRefusals } from '../facts/config-map.ts'
import { poolOfAddress, rulingConfigMap, unreadable } from '../facts/configuration.ts'
import { type PoolFact, poolFacts } from '../facts/pools.ts'
import type { Observed } from '../observed.ts'
import { isOurs } from '../status/services.ts'
import type { Entry } from './entry-point.ts'
import { broken, doubtful, fine, type Step, skipped, unknown } from './step.ts'

const step = 'pool'

export function tracePool(observed: Observed, { service, address }: Entry): Step {
  if (address === '') return skipped(step, 'there is no address')
  if (!isOurs(service, observed)) {
    return skipped(step, 'the address was given by another load balancer')
  }
  const gap = unreadable(observed)
  if (gap !== undefined) return unknown(step, 'notReadable', `pools cannot be read: ${gap.message}`)
  const about: About = { kind: 'Service', name: keyOf(service.meta), places: observed.places }
  const pool = poolOfAddress(observed, service, address)
  if (pool === undefined) {
    const message = `${address} is in no pool: it was not given by Landfall, or its pool is gone`
    return broken(step, 'AddressNotInPool', message, { next: adviceOn('AddressNotInPool', about) })
  }
  const legacy = rulingConfigMap(observed)
  const fact = poolFacts(observed).find(
    ({ name, object }) => name === pool.name && (object === undefined) === (legacy !== undefined),
  )
  if (fact === undefined) {
    const [stated] = statedRefusals(observed)
    if (stated !== undefined) {
      const message = `pool ${pool.name} is that of an earlier ConfigMap, which stays in force: ${stated.message}`
      return doubtful(step, stated.reason, message, { next: legacy === undefined ? '' : correction(legacy) })
    }
    const message = `pool ${pool.name} is gone; the Service keeps the address for a while`
    return doubtful(step, 'PoolRemoved', message, { next: adviceOn('PoolRemoved', about) })
  }
  const where = fact.place.at === '' ? '' : `, ${fact.place.at} of ConfigMap ${fact.place.name}`
  const text = `${pool.name} (${fact.addresses.join(', ')})${where}`
  const refusal = refusalOf(fact, observed)
  if (pool.refused || refusal !== undefined) {
    const { reason = 'PoolRefused', message = 'see its addresses', next = '' } = refusal ?? {}
    const said = `${text} is refused: ${message}; what was given from it stays`
    return doubtful(step, reason, said, { next })
  }
  const { advertised } = fact
  return fine(step, text, [`advertised by ${advertised.join(', ') || 'nothing'}`])
}

interface Refused {
  readonly reason: string
  readonly message: string
  readonly next: string
}

function refusalOf({ object, place }: PoolFact, observed: Observed): Refused | undefined {
  if (object !== undefined) {
    const valid = conditionOf(object, 'Valid')
    if (valid?.status !== 'False') return undefined
    const about: About = { ...place, places: observed.places }
    return {
      reason: valid.reason,
      message: valid.message,
      next: adviceOn(valid.reason, about, valid.message),
    }
  }
  const legacy = rulingConfigMap(observed)
  const [first] = legacy?.refusals ?? []
  if (legacy === undefined || legacy.usable || first === undefined) return undefined
  return { reason: first.reason, message: first.message, next: correction(legacy) }
}
