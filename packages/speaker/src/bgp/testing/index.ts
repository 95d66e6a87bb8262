/** Peers, routers and speakers for who measures BGP from outside. */
export { BarePeer } from './bare-peer.ts'
export { type LogLine, missingFor, PeerLab, SpeakerNode } from './peer-lab.ts'
export { type PeerText, peerText, type RouteText, routeText } from './plan-text.ts'
export { until } from './until.ts'
