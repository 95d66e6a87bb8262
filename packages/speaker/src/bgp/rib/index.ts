/** What each session has been told, and what it shall be told. Pure. */
export { AdjOut } from './adj-out.ts'
export { describeUnsent, type SessionFacts, type UnsentRoute } from './desired-route.ts'
export { chooseNextHop, type NextHopSources } from './next-hop.ts'
export { SessionRoutes } from './session-routes.ts'
