// Reads what arping, ndisc6 and `ip -json neighbour` say. Pure.
export interface Neighbor {
  readonly ip: string
  readonly interface: string
  /** Undefined while unresolved or failed. */
  readonly mac: string | undefined
  /** `REACHABLE`, `STALE`, `FAILED`, … */
  readonly state: string
}

interface NeighborJson {
  readonly dst?: string
  readonly dev?: string
  readonly lladdr?: string
  readonly state?: readonly string[]
}

export function parseNeighborTable(text: string): readonly Neighbor[] {
  const rows: readonly NeighborJson[] = text.trim() === '' ? [] : JSON.parse(text)
  return rows.map((r) => ({
    ip: r.dst ?? '',
    interface: r.dev ?? '',
    mac: r.lladdr?.toLowerCase(),
    state: r.state?.join(',') ?? '',
  }))
}

const macPattern = /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/gi

/** The hardware addresses that answered, in the order of the answers, repeats kept. */
export function parseAnswers(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => /bytes from|Target link-layer address/i.test(line))
    .flatMap((line) => line.match(macPattern) ?? [])
    .map((mac) =>
      mac
        .split(':')
        .map((part) => part.padStart(2, '0'))
        .join(':')
        .toLowerCase(),
    )
}
