/** The BFD session's state machine. Pure. */
export {
  type BfdSettings,
  type Effect,
  type Event,
  holdMs,
  initial,
  type State,
  type Step,
  slowMs,
} from './state.ts'
export { step } from './step.ts'
export { detectionMs, nextDeadline } from './timers.ts'
