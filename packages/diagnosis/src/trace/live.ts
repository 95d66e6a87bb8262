/** Step 11: what came of trying it from here, put into words. */
import { broken, doubtful, fine, type Step, skipped, unknown } from './step.ts'

/** How far a try came. */
export type Try =
  | { readonly kind: 'notTried'; readonly why: string }
  /** No connection. `code`: as the system names it. */
  | { readonly kind: 'noConnection'; readonly code: string; readonly message: string }
  /** A connection, and then no answer. */
  | { readonly kind: 'noAnswer'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly server: string
      /** '' for none. */
      readonly location: string
      /** Why the certificate does not convince; '' where it does, or there is none. */
      readonly distrust: string
    }

const step = 'request'
const unreachable = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'EPERM']

export interface Expected {
  /** Address and port. */
  readonly at: string
  /** It was asked for by name, so that not to reach the address is a fault. */
  readonly insisted: boolean
  /** Envoy is to answer, and says so in its answers. */
  readonly byEnvoy: boolean
  /** Of Envoy. */
  readonly namespace: string
  /** Which host has the address on this LAN; '' where that is not known. */
  readonly neighbour: string
  /** Who else may have the address. */
  readonly suspects: string
}

export function traceLive(tried: Try, expected: Expected): Step {
  const found = outcome(tried, expected)
  const { neighbour } = expected
  return tried.kind === 'notTried' || neighbour === '' ? found : { ...found, details: [neighbour] }
}

function outcome(tried: Try, expected: Expected): Step {
  switch (tried.kind) {
    case 'notTried':
      return skipped(step, tried.why)
    case 'noConnection':
      return noConnection(tried, expected)
    case 'noAnswer': {
      const message = `${expected.at} takes a connection and then gives no answer: ${tried.message}`
      const next = `Over https a name that is not served ends the handshake; else: ${logsOf(expected)}`
      return broken(step, tried.code, message, { next })
    }
    default:
      return answered(tried, expected)
  }
}

/** `at`: address and port. */
function arping(at: string): string {
  const address = addressIn(at)
  return address.includes(':') ? `ndisc6 -m ${address} INTERFACE` : `arping -c 3 -I INTERFACE ${address}`
}

function addressIn(at: string): string {
  return at.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

/** Who has the address beside the node that is to, and how to see that on a host. */
function rivals({ at, suspects }: Expected): string {
  return `whose MAC answers on the LAN: ${arping(at)}. It may be of ${suspects}: see on the nodes, and on the host of that MAC: ip -br address show to ${addressIn(at)}`
}

function logsOf({ namespace }: Expected): string {
  return `kubectl -n ${namespace} logs -l app=envoy -c envoy --tail=50`
}

function noConnection(
  { code, message }: Extract<Try, { readonly kind: 'noConnection' }>,
  expected: Expected,
): Step {
  const { at, insisted } = expected
  if (code === 'ECONNREFUSED') {
    const text = `${at} refuses the connection: the address is reached, and nothing listens there`
    const next = `If all steps above are well, kube-proxy does not run on the node, or another host has the address too: see ${rivals(expected)}`
    return broken(step, code, text, { next })
  }
  const away = unreachable.includes(code)
  const text = `${at} cannot be reached from this machine: ${message}`
  const next = `Try it from a host that clients come from; on the LAN itself, see whose MAC answers: ${arping(at)}. kube-proxy in IPVS mode needs strictARP: kubectl -n kube-system edit configmap kube-proxy`
  return away && !insisted ? unknown(step, code, text, { next }) : broken(step, code, text, { next })
}

function answered(
  { status, server, location, distrust }: Extract<Try, { readonly kind: 'answered' }>,
  expected: Expected,
): Step {
  const { at, byEnvoy } = expected
  const by = server === '' ? '' : ` by ${server}`
  const to = location === '' ? '' : ` to ${location}`
  const text = `${at} answers ${status}${to}${by}`
  if (byEnvoy && server !== 'envoy') {
    const who = server === '' ? 'what answers does not say that it is Envoy' : `that is not Envoy`
    const next = `Another host or a proxy answers in its place: look at http_proxy and at routers on the way, and ${rivals(expected)}`
    return broken(step, 'anotherServer', `${text}: ${who}`, { next })
  }
  if (status >= 502 && status <= 504) {
    const next = `Envoy reached no backend, or none in time. Which it was, response_flags says: ${logsOf(expected)}`
    return broken(step, `HTTP${status}`, text, { next })
  }
  if (status === 404 || status === 421 || status >= 500) {
    const next =
      status === 421
        ? 'Ask for the host of the TLS handshake: leave out the header Host (-H).'
        : 'If all steps above are well, the backend says so: see its logs.'
    return doubtful(step, `HTTP${status}`, text, { next })
  }
  if (distrust === '') return fine(step, text)
  const next = 'Have the certificate signed by an authority that clients know, for this name.'
  return doubtful(step, 'certificateNotTrusted', `${text}; its certificate does not convince: ${distrust}`, {
    next,
  })
}
