/** `peers` → BGPPeer objects. */
import type { BGPPeer, BGPPeerSpec, LabelSelector } from '@landfall/api'
import type { Meta } from '@landfall/kube/model'
import { given, type Made, metaOf } from './made.ts'
import type { Section } from './section.ts'

const largest = 0xffffffff
const defaultHoldTime = '90s'

export function readPeers(sections: readonly Section[], from: Meta): readonly Made<BGPPeer>[] {
  const seen = new Set<string>()
  return sections.map((section, index) => {
    const spec = readPeer(section)
    const text = JSON.stringify(spec)
    if (seen.has(text)) section.report('peer-address', 'DuplicatePeer', 'the same peer is listed twice')
    seen.add(text)
    section.finish()
    return { object: { meta: metaOf(`peer${index + 1}`, from), spec }, path: section.path, fields: {} }
  })
}

function readPeer(section: Section): BGPPeerSpec {
  const myASN = section.whole('my-asn', largest)
  if (myASN === undefined) section.report('my-asn', 'MissingField', 'a peer needs our AS number')
  // One of the two is an earlier spelling.
  const source = section.text('source-address') ?? section.text('src-address')
  const nodeSelectors = readNodeSelectors(section)
  return {
    myASN: myASN ?? 0,
    ...given('peerASN', section.whole('peer-asn', largest)),
    ...given('peerAddress', section.text('peer-address')),
    ...given('sourceAddress', source),
    ...given('peerPort', section.whole('peer-port', 65535)),
    holdTime: section.text('hold-time') ?? defaultHoldTime,
    ...given('keepaliveTime', section.text('keepalive-time')),
    ...given('routerID', section.text('router-id')),
    ...given('password', section.text('password')),
    ...given('ebgpMultiHop', section.flag('ebgp-multihop')),
    ...given('bfdProfile', section.text('bfd-profile')),
    ...(nodeSelectors.length === 0 ? {} : { nodeSelectors }),
  }
}

export function readNodeSelectors(section: Section): readonly LabelSelector[] {
  return section.sections('node-selectors').map((selector) => {
    const matchLabels = selector.map('match-labels')
    const matchExpressions = selector.sections('match-expressions').map((expression) => {
      const read = {
        key: expression.text('key') ?? '',
        operator: expression.text('operator') ?? '',
        ...given('values', expression.has('values') ? expression.texts('values') : undefined),
      }
      expression.finish()
      return read
    })
    selector.finish()
    return {
      ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
      ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
    }
  })
}
