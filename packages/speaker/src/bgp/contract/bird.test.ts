import { BirdPeer } from './bird-peer.ts'
import { contractSuite } from './suite.ts'

contractSuite(new BirdPeer())
