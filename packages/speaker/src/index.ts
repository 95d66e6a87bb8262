/** The speaker: announces the addresses of Services from its node by ARP, NDP and BGP. */
export {
  defaultSpeakerOptions,
  type HeartbeatOptions,
  type ListenAddress,
  type SpeakerOptions,
  type Timing,
} from './options.ts'
export { runSpeaker } from './run-speaker.ts'
