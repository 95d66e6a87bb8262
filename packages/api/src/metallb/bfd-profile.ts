/** metallb.io/v1beta1 BFDProfile: timing of failure detection on a session. Times are milliseconds. */
import type { KubeObject } from '@landfall/kube/model'
import { flag, int32, object, optional, type Shape } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'

const interval = { minimum: 10, maximum: 60000 } as const

export const bfdProfileSpec = object({
  receiveInterval: optional(int32('Shortest interval that we can receive at; 300 when absent.', interval)),
  transmitInterval: optional(int32('Shortest interval that we want to send at; 300 when absent.', interval)),
  detectMultiplier: optional(
    int32('Lost packets until the session is down; 3 when absent.', { minimum: 2, maximum: 255 }),
  ),
  echoInterval: optional(int32('Shortest interval of echo packets; 50 when absent.', interval)),
  echoMode: optional(flag('Send echo packets; not over several hops.')),
  passiveMode: optional(flag('Wait for the peer to begin.')),
  minimumTtl: optional(
    int32('Lowest TTL of packets over several hops; 254 when absent.', { minimum: 1, maximum: 254 }),
  ),
})
export type BFDProfileSpec = Shape<typeof bfdProfileSpec>

export const bfdProfileStatus = object({ conditions: optional(conditions) })

export interface BFDProfile extends KubeObject {
  readonly spec?: BFDProfileSpec
  readonly status?: Shape<typeof bfdProfileStatus>
}
