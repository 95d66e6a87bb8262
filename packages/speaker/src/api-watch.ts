/** Whether the API server has been away for a while, looked at every second. A restart of it is no reason. */
const awayMs = 10_000
const lookMs = 1000

export interface ApiWatchOptions {
  /** Whether the last try had no answer. */
  readonly isOutage: () => boolean
  readonly onChange: (away: boolean) => void
  readonly awayMs?: number
  readonly lookMs?: number
}

/** @returns how to end it */
export function watchApi(o: ApiWatchOptions): () => void {
  let since: number | undefined
  let told = false
  const look = (): void => {
    since = o.isOutage() ? (since ?? performance.now()) : undefined
    const away = since !== undefined && performance.now() - since >= (o.awayMs ?? awayMs)
    if (away === told) return
    told = away
    o.onChange(away)
  }
  const timer = setInterval(look, o.lookMs ?? lookMs)
  timer.unref()
  return () => clearInterval(timer)
}
