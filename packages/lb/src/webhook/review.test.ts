import { describe, expect, it } from 'vitest'
import { reviewOf } from './review.ts'

function ask(path: string, review: unknown) {
  const answer = reviewOf(path)?.(typeof review === 'string' ? review : JSON.stringify(review))
  return answer?.status === 200 ? JSON.parse(answer.body) : answer?.status
}

const conversion = (request: object) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'ConversionReview',
  request,
})

describe('validation', () => {
  it.each(['ipaddresspool', 'bgppeer', 'addresspool'])(
    'allows a %s, in the version that was asked',
    (kind) => {
      for (const version of ['v1', 'v1beta1']) {
        const apiVersion = `admission.k8s.io/${version}`
        const request = { uid: 'u', object: { spec: {} } }
        expect(
          ask(`/validate-metallb-io-v1beta1-${kind}`, { apiVersion, kind: 'AdmissionReview', request }),
        ).toEqual({ apiVersion, kind: 'AdmissionReview', response: { uid: 'u', allowed: true } })
      }
    },
  )

  it('allows a deletion, which has no object', () => {
    const request = { uid: 'u', object: null, oldObject: {} }
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
    expect(ask('/validate-metallb-io-v1beta1-bfdprofile', review).response.allowed).toBe(true)
  })

  it('warns of disableMP', () => {
    const request = { uid: 'u', object: { spec: { disableMP: true } } }
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
    const { response } = ask('/validate-metallb-io-v1beta2-bgppeer', review)
    expect(response.warnings).toEqual([expect.stringContaining('disableMP')])
  })
})

describe('conversion', () => {
  it('keeps every field, those of the newer version too, both ways', () => {
    const peer = (version: string) => ({
      apiVersion: `metallb.io/${version}`,
      kind: 'BGPPeer',
      metadata: { name: 'p', uid: '1' },
      spec: { myASN: 1, vrf: 'red', peerPort: 0, dynamicASN: 'external' },
      status: { conditions: [] },
    })
    for (const [from, to] of [
      ['v1beta1', 'v1beta2'],
      ['v1beta2', 'v1beta1'],
      ['v1beta2', 'v1beta2'],
    ] as const) {
      const request = { uid: 'u', desiredAPIVersion: `metallb.io/${to}`, objects: [peer(from), peer(from)] }
      const { response } = ask('/convert', conversion(request))
      expect(response).toEqual({
        uid: 'u',
        result: { status: 'Success' },
        convertedObjects: [peer(to), peer(to)],
      })
    }
  })

  it.each([
    [{ kind: 'AddressPool', apiVersion: 'metallb.io/v1beta1' }, 'metallb.io/v1beta2', /only BGPPeer/],
    [{ kind: 'BGPPeer', apiVersion: 'metallb.io/v1' }, 'metallb.io/v1beta2', /no version "metallb.io\/v1",/],
    [{ kind: 'BGPPeer', apiVersion: 'metallb.io/v1beta2' }, 'other/v1', /no version "other\/v1"/],
  ])('refuses what is no BGPPeer of a known version: %j', (object, desiredAPIVersion, message) => {
    const { response } = ask('/convert', conversion({ uid: 'u', desiredAPIVersion, objects: [object] }))
    expect(response.result).toEqual({ status: 'Failure', message: expect.stringMatching(message) })
    expect(response.convertedObjects).toBeUndefined()
  })
})

it.each(['', '[]', 'null', '{', '{"kind":"ConversionReview"}', '{"kind":"AdmissionReview","request":{}}'])(
  'answers 400 to %j',
  (body) => expect(ask('/convert', body)).toBe(400),
)

it('knows no other path', () => expect(reviewOf('/mutate')).toBeUndefined())
