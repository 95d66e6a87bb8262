/** What holds for each connection of a client: how much it may say, when it counts as gone, and how old it grows. */
import type { ChannelOptions } from '@grpc/grpc-js'

export interface Keepalive {
  /** Between two questions to a client whether it is there. */
  readonly intervalMs: number
  /** A client that does not answer for so long is gone. */
  readonly timeoutMs: number
}

export const usualKeepalive: Keepalive = { intervalMs: 20_000, timeoutMs: 10_000 }

/** A connection ends at an age that differs by up to a tenth, so that Envoys spread over the replicas that there are. */
export interface ConnectionAge {
  readonly ageMs: number
  /** Streams have so long to end by themselves. */
  readonly graceMs: number
}

export const usualAge: ConnectionAge = { ageMs: 12 * 3_600_000, graceMs: 120_000 }

export function channelOptions(
  { intervalMs, timeoutMs }: Keepalive = usualKeepalive,
  { ageMs, graceMs }: ConnectionAge = usualAge,
): ChannelOptions {
  return {
    // A reconnecting Envoy tells the versions of all it has in one message: 1 MB at 25,000 hosts with short names.
    'grpc.max_receive_message_length': 32 * 1024 * 1024,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1 << 20,
    'grpc.keepalive_time_ms': intervalMs,
    'grpc.keepalive_timeout_ms': timeoutMs,
    'grpc.max_connection_age_ms': ageMs,
    'grpc.max_connection_age_grace_ms': graceMs,
  }
}
