/** BFD: the engine for the worker thread, and what it says to the main thread. */
export { diagnostic, type SessionState } from './codec/index.ts'
export { BfdEngine } from './engine.ts'
export type { BfdCounts, BfdObstacle, BfdSession, FromBfd, ToBfd } from './messages.ts'
