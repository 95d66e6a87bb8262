/** For tests of whoever uses this package: an API server that misbehaves as told, and a real one. */
export { awaited } from './awaited.ts'
export {
  type Answer,
  bookmark,
  configMap,
  FakeApiServer,
  type FakeReply,
  type FakeRequest,
  FakeWatch,
  statusOf,
} from './fake-api-server.ts'
export { type Binaries, findBinaries, type Ran, RealApiServer, withoutApiServer } from './real-api-server.ts'
export { recreate } from './recreate.ts'
