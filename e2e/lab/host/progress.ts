// Shows what a longer work is at: one line a step, with its time. On a terminal the line of a
// running step is redrawn each second, elsewhere it is printed when the step ends.
export interface Progress {
  /** Runs one step; `note` replaces the text behind the step's name while it runs. */
  step<T>(name: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>
}

export const silentProgress: Progress = { step: async (_name, work) => await work(() => {}) }

interface Running {
  readonly name: string
  readonly since: number
  text: string
  shown: number
}

export function terminalProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const running = new Set<Running>()
  const live = out.isTTY
  const tick = (): void => {
    const now = Date.now()
    const current = [...running].filter((s) => now - s.since > 1000)
    if (live) {
      const text = current.map((s) => `${s.name} ${seconds(now - s.since)}${s.text}`).join(', ')
      out.write(`\r\x1b[K${text === '' ? '' : `… ${text}`.slice(0, (out.columns ?? 80) - 1)}`)
      return
    }
    for (const s of current.filter((s) => now - s.shown > 15_000)) {
      s.shown = now
      out.write(`… ${s.name} ${seconds(now - s.since)}${s.text}\n`)
    }
  }
  let timer: NodeJS.Timeout | undefined
  return {
    async step(name, work) {
      const s: Running = { name, since: Date.now(), text: '', shown: Date.now() }
      running.add(s)
      timer ??= setInterval(tick, 1000).unref()
      let mark = '✗'
      try {
        const result = await work((text) => {
          s.text = `: ${text}`
        })
        mark = '✓'
        return result
      } finally {
        running.delete(s)
        if (running.size === 0) {
          clearInterval(timer)
          timer = undefined
        }
        out.write(`${live ? '\r\x1b[K' : ''}${mark} ${name} ${seconds(Date.now() - s.since)}\n`)
      }
    },
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}
