/** Headers that a route, or one of its clusters, sets and removes. */
import { HeaderValueOption_HeaderAppendAction } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import type { HeaderEdits } from '../dag/virtual-host.ts'

const overwrite = HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD

/** In the fields that Route and ClusterWeight have in common. */
export function headerEdits(request: HeaderEdits, response: HeaderEdits) {
  return {
    requestHeadersToAdd: added(request),
    requestHeadersToRemove: [...request.remove],
    responseHeadersToAdd: added(response),
    responseHeadersToRemove: [...response.remove],
  }
}

function added({ set }: HeaderEdits) {
  return setHeaders(set)
}

export function setHeaders(headers: HeaderEdits['set']) {
  return headers.map(({ name, value }) => ({ header: { key: name, value }, appendAction: overwrite }))
}
