/** `defaultGlobalRateLimitPolicy`: the descriptors of virtual hosts that have none of their own. */
import type { RateLimitPolicy } from '@landfall/api'
import { readHostDescriptors } from '../dag/policies/global-rate-limit.ts'
import { flag, full, isRecord, list, type Reader, shaped, text } from './readers.ts'

type Policy = NonNullable<RateLimitPolicy['global']>

function needing<T>(reader: Reader<T>, ...names: readonly string[]): Reader<T> {
  return (value, say) => {
    const missing = isRecord(value) ? names.filter((name) => value[name] === undefined) : []
    for (const name of missing) say(`${name}: is needed`)
    return missing.length > 0 ? undefined : reader(value, say)
  }
}

const headerMatch = needing(
  shaped({
    name: full,
    present: flag,
    notpresent: flag,
    contains: text,
    notcontains: text,
    exact: text,
    notexact: text,
    regex: text,
    ignoreCase: flag,
    treatMissingAsEmpty: flag,
  }),
  'name',
)

const entry = shaped({
  genericKey: needing(shaped({ key: text, value: full }), 'value'),
  requestHeader: needing(shaped({ headerName: full, descriptorKey: full }), 'headerName', 'descriptorKey'),
  requestHeaderValueMatch: needing(
    shaped({ headers: list(headerMatch), expectMatch: flag, value: full }),
    'headers',
    'value',
  ),
  remoteAddress: shaped({}),
})

const shape = shaped({ disabled: flag, descriptors: list(shaped({ entries: list(entry) })) })

export const globalRateLimitPolicy: Reader<Policy> = (value, say) => {
  const policy = shape(value, say)
  if (policy === undefined) return undefined
  // What `needing` asks for is there.
  const typed = policy as Policy
  const checked = readHostDescriptors('', { global: typed }, undefined)
  if (checked.ok) return typed
  for (const { message } of checked.problems) say(message.replace(/^\.rateLimitPolicy\.global\.?/, ''))
  return undefined
}
