/** What the controller says of the BGP sessions of the speakers. */
export { PeerSessions } from './peer-sessions.ts'
export { peerStatus } from './peer-status.ts'
