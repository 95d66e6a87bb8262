/** The BGP session's state machine. Pure. */
export { type Agreed, firstContext } from './negotiation.ts'
export { chooseRouterID } from './router-id.ts'
export type { PeerSettings } from './settings.ts'
export { type Effect, type Ending, type Event, nextDeadline, type State, stopped } from './state.ts'
export { step } from './step.ts'
