// How long a container that ended waits for its next start: the first time not at all, then 10 s,
// doubled up to 5 minutes, and from the beginning again after it ran for twice the longest wait.

export interface BackoffSettings {
  readonly initialMs: number
  readonly maxMs: number
}

export const KUBELET_BACKOFF: BackoffSettings = { initialMs: 10_000, maxMs: 300_000 }

/** `waits` counts the waits since the last reset. */
export function nextWait(
  settings: BackoffSettings,
  waits: number,
  ranMs: number,
): { readonly waitMs: number; readonly waits: number } {
  if (ranMs >= 2 * settings.maxMs || waits === 0) return { waitMs: 0, waits: 1 }
  return { waitMs: Math.min(settings.initialMs * 2 ** (waits - 1), settings.maxMs), waits: waits + 1 }
}
