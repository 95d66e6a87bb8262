/** BFD packets: values and bytes. Pure. */
export {
  type ControlPacket,
  type ControlRefusal,
  decodeControl,
  diagnostic,
  encodeControl,
  type SessionState,
  sessionStates,
} from './control.ts'
export { decodeEcho, type EchoAddresses, type EchoFrame, encodeEcho } from './echo.ts'
