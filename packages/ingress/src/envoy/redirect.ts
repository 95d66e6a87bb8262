/** Routes that Envoy answers with another location. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  RedirectAction_RedirectResponseCode,
  type RouteSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import type { Redirect } from '../dag/virtual-host.ts'

type Action = NonNullable<MessageInitShape<typeof RouteSchema>['action']>

const codes: Readonly<Record<number, RedirectAction_RedirectResponseCode>> = {
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
}

export const httpsRedirect: Action = {
  case: 'redirect',
  value: {
    schemeRewriteSpecifier: { case: 'httpsRedirect', value: true },
    responseCode: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  },
}

export function redirectAction({ scheme, host, port, path, prefix, status }: Redirect): Action {
  return {
    case: 'redirect',
    value: {
      hostRedirect: host ?? '',
      portRedirect: port ?? 0,
      responseCode: codes[status] ?? RedirectAction_RedirectResponseCode.FOUND,
      ...(scheme === undefined ? {} : { schemeRewriteSpecifier: { case: 'schemeRedirect', value: scheme } }),
      ...(path === undefined ? {} : { pathRewriteSpecifier: { case: 'pathRedirect', value: path } }),
      ...(prefix === undefined ? {} : { pathRewriteSpecifier: { case: 'prefixRewrite', value: prefix } }),
    },
  }
}
