import { GobgpPeer } from './gobgp-peer.ts'
import { contractSuite } from './suite.ts'

contractSuite(new GobgpPeer())
