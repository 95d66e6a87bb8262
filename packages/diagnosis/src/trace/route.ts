/** Step 7: the route that takes the request, and the object and rule that made it. */
import { type Action, type RequestTrace } from '@landfall/ingress/routing'
import { adviceOn, editing } from '../facts/advice.ts'
import type { Places } from '../observed.ts'
import { ownerOf, routeText } from './route-text.ts'
import { broken, doubtful, fine, type Step, skipped } from './step.ts'
import type { Target } from './target.ts'
import { kindText, problemLines } from './virtual-host.ts'

const step = 'route'
const mostRoutes = 5

export function traceRoute(places: Places, target: Target, found: RequestTrace): Step {
  const { served } = found
  if (served === undefined) return skipped(step, 'there is no virtual host')
  if (served.kind === 'tcp') return fine(step, `all of the stream (HTTPProxy ${found.root} spec.tcpproxy)`)
  const { route } = served
  if (route === undefined) return untaken(places, target, found)
  const text = `${routeText(route)}${actionText(route.action)}`
  const ailing = served.routes.length > 0 && route.action.kind === 'respond' && route.action.status >= 500
  if (!ailing) return fine(step, text)
  const [problem] = problemsOf(found).filter(({ message }) => message.startsWith(route.rule))
  if (problem === undefined) return doubtful(step, 'answersItself', text)
  const { reason, message } = problem
  return broken(step, reason, `${text}: ${message}`, {
    next: adviceOn(reason, { ...problem, places }, message),
  })
}

/** Each with the object that it is about. */
function problemsOf({ outcomes }: RequestTrace) {
  return outcomes.flatMap(({ kind, key, problems }) =>
    problems.map((problem) => ({ ...problem, kind: kindText(kind), name: key })),
  )
}

/** A route that was refused may be the one that is missing. */
function untaken(places: Places, target: Target, found: RequestTrace): Step {
  const { host = '', served } = found
  const routes = served?.kind === 'http' ? served.routes : []
  const message = `no route of ${host} takes ${target.method} ${target.path}: the answer is 404`
  const more = routes.length > mostRoutes ? [`and ${routes.length - mostRoutes} more`] : []
  const details = [...routes.slice(0, mostRoutes).map(routeText), ...more]
  const [refused] = problemsOf(found).filter(({ severity }) => severity === 'error')
  if (refused === undefined) {
    const { kind, name } = ownerOf(found)
    return broken(step, 'noRoute', message, {
      details,
      next: `Correct the URL, or add a route for the path: ${editing(kind, name)}`,
    })
  }
  const { reason } = refused
  return broken(step, reason, `${message}; ${problemLines(found)[0] ?? ''}`, {
    details,
    next: adviceOn(reason, { ...refused, places }, refused.message),
  })
}

function actionText(action: Action): string {
  switch (action.kind) {
    case 'forward':
      return action.prefixRewrite === undefined ? '' : `, its prefix becomes ${action.prefixRewrite}`
    case 'redirect':
      return `, redirects with ${action.status}`
    case 'https-redirect':
      return ', redirects with 301 to https'
    default:
      return `, answers ${action.status}`
  }
}
