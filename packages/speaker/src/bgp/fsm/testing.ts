/** Sessions that tests drive event by event, on a clock of their own. */
import {
  type BgpError,
  bgpError,
  ceaseReason,
  errorCode,
  type Message,
  type OpenMessage,
  type Received,
} from '../codec/index.ts'
import {
  type Effect,
  type Event,
  nextDeadline,
  type PeerSettings,
  type State,
  step,
  stopped,
} from './index.ts'

export const settings: PeerSettings = {
  localASN: 65000,
  peerASN: 65530,
  families: [4, 6],
  multiprotocol: true,
  extendedNextHop: false,
  restartSeconds: undefined,
  passive: false,
  holdSeconds: 90,
  random: () => 1,
}
export const peerOpen: OpenMessage = {
  kind: 'open',
  asField: 65530,
  holdSeconds: 30,
  routerID: 0x0a4d0001,
  capabilities: [
    { kind: 'multiprotocol', family: { afi: 1, safi: 1 } },
    { kind: 'fourOctetAS', asn: 65530 },
  ],
}
export const cease = bgpError(errorCode.cease, ceaseReason.administrativeShutdown)
export const message = (one: Received): Event => ({ kind: 'message', message: one })
export const keepalive = message({ kind: 'keepalive' })
export const update = message({ kind: 'update', withdrawn: [], attributes: [], announced: [], faults: [] })
export const connected: Event = { kind: 'connected', routerID: 0x0a4d000b, restarting: false }
export const refused: Event = { kind: 'connectFailed', message: 'ECONNREFUSED' }
export const notification = (error: BgpError) => message({ kind: 'notification', error })

/** A session that is driven event by event, on a clock of its own. */
export class Script {
  now = 0
  state: State = stopped
  readonly settings: PeerSettings

  constructor(more: Partial<PeerSettings> = {}) {
    this.settings = { ...settings, ...more }
  }

  /** What the event brings about, in short. */
  on(event: Event): readonly string[] {
    const result = step(this.state, event, this.now, this.settings)
    this.state = result.state
    return result.effects.map(brief)
  }

  all(...events: readonly Event[]): this {
    for (const event of events) this.on(event)
    return this
  }

  /** Lets time pass to the next deadline; gives how long that took and what it brought about. */
  wait(): readonly [number, readonly string[]] {
    const deadline = nextDeadline(this.state)
    if (deadline === undefined) throw new Error('nothing to wait for')
    const ms = deadline - this.now
    this.now = deadline
    return [ms, this.on({ kind: 'tick' })]
  }
}

function brief(effect: Effect): string {
  switch (effect.kind) {
    case 'send':
      return `send ${briefMessage(effect.message)}`
    case 'sendRival':
      return `rival: send ${briefMessage(effect.message)}`
    case 'dropRival':
      return 'rival: drop'
    case 'refuseRival':
      return `rival: refuse ${effect.error.code}/${effect.error.subcode}`
    case 'ended': {
      const { ending } = effect
      const error = 'error' in ending ? ` ${ending.error.code}/${ending.error.subcode}` : ''
      return `${effect.wasEstablished ? 'down' : 'failed'} ${ending.kind}${error}`
    }
    default:
      return effect.kind
  }
}

function briefMessage(one: Message): string {
  return one.kind === 'notification' ? `notification ${one.error.code}/${one.error.subcode}` : one.kind
}

export const established = (more: Partial<PeerSettings> = {}) =>
  new Script(more).all({ kind: 'start' }, connected, message(peerOpen), keepalive)
