import { FrrPeer } from './frr-peer.ts'
import { contractSuite } from './suite.ts'

contractSuite(new FrrPeer())
