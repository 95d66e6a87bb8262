/**
 * What the API server asks a webhook, and our answers. Pure: a body in, an answer out.
 * Validation (admission.k8s.io/v1, or the v1beta1 of old) allows everything: what is wrong with an object is told in
 * its status. Conversion (apiextensions.k8s.io/v1) is that of BGPPeer.
 */
import { convertBGPPeer } from '@landfall/api'

export interface ReviewAnswer {
  readonly status: number
  readonly body: string
}

type Fields = Readonly<Record<string, unknown>>

/** @returns undefined for a path that no webhook of MetalLB has */
export function reviewOf(path: string): ((body: string) => ReviewAnswer) | undefined {
  if (path === '/convert') return (body) => answer(body, 'ConversionReview', convert)
  if (path.startsWith('/validate-metallb-io-')) return (body) => answer(body, 'AdmissionReview', admit)
  return undefined
}

function answer(body: string, kind: string, respond: (request: Fields) => Fields): ReviewAnswer {
  const review = parse(body)
  const request = review?.['request']
  if (review?.['kind'] !== kind || !isObject(request))
    return { status: 400, body: `no ${kind} with a request\n` }
  const { apiVersion } = review
  return { status: 200, body: JSON.stringify({ apiVersion, kind, response: respond(request) }) }
}

function admit(request: Fields): Fields {
  return { uid: request['uid'], allowed: true, ...withWarnings(request['object']) }
}

/** What an object's status will say as well, but for which it needs a look. */
function withWarnings(object: unknown): Fields {
  const spec = isObject(object) && isObject(object['spec']) ? object['spec'] : {}
  if (spec['disableMP'] !== true) return {}
  return {
    warnings: ['spec.disableMP is deprecated: the multiprotocol extension is a capability of its own'],
  }
}

function convert(request: Fields): Fields {
  const { uid, desiredAPIVersion, objects } = request
  const failed = (message: string) => ({ uid, result: { status: 'Failure', message } })
  if (!Array.isArray(objects)) return failed('there are no objects')
  const converted = objects.map((object) => convertBGPPeer<Fields>(object, String(desiredAPIVersion)))
  const refused = converted.find((one) => !one.ok)
  if (refused?.ok === false) return failed(refused.message)
  const convertedObjects = converted.map((one) => one.ok && one.object)
  return { uid, result: { status: 'Success' }, convertedObjects }
}

function parse(body: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
