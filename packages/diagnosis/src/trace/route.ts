/** Step 7: the route that takes the request, and the object and rule that made it. */
import { type Action, type RequestTrace, type Route } from '@landfall/ingress/routing'
import { adviceOn } from '../facts/advice.ts'
import { routeText } from './route-text.ts'
import { broken, doubtful, fine, type Step, skipped } from './step.ts'
import type { Target } from './target.ts'
import { problemLines } from './virtual-host.ts'

const step = 'route'
const mostRoutes = 5

export function traceRoute(target: Target, found: RequestTrace): Step {
  const { served, host = '' } = found
  if (served === undefined) return skipped(step, 'there is no virtual host')
  if (served.kind === 'tcp') return fine(step, `all of the stream (HTTPProxy ${found.root} spec.tcpproxy)`)
  const { route, routes } = served
  if (route === undefined) return untaken(target, found, host, routes)
  const text = `${routeText(route)}${actionText(route.action)}`
  const ailing = served.routes.length > 0 && route.action.kind === 'respond' && route.action.status >= 500
  if (!ailing) return fine(step, text)
  const [problem] = found.outcomes.flatMap(({ problems }) =>
    problems.filter(({ message }) => message.startsWith(route.rule)),
  )
  if (problem === undefined) return doubtful(step, 'answersItself', text)
  return broken(step, problem.reason, `${text}: ${problem.message}`, { next: adviceOn(problem.reason) })
}

/** A route that was refused may be the one that is missing. */
function untaken(target: Target, found: RequestTrace, host: string, routes: readonly Route[]): Step {
  const message = `no route of ${host} takes ${target.method} ${target.path}: the answer is 404`
  const more = routes.length > mostRoutes ? [`and ${routes.length - mostRoutes} more`] : []
  const details = [...routes.slice(0, mostRoutes).map(routeText), ...more]
  const [refused] = found.outcomes.flatMap(({ problems }) =>
    problems.filter(({ severity }) => severity === 'error'),
  )
  if (refused === undefined) {
    return broken(step, 'noRoute', message, {
      details,
      next: 'Add a route for the path, or correct the URL.',
    })
  }
  const { reason } = refused
  return broken(step, reason, `${message}; ${problemLines(found)[0] ?? ''}`, {
    details,
    next: adviceOn(reason),
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
