/**
 * A guide as a script: `$ COMMAND`, and below what it prints. In that `…` stands for what differs each time (cluster
 * addresses, ports of nodes, ages, ends of names), never for more than a column, and a line `...` for any lines; `#` begins a remark of ours. Pure.
 */
export interface Command {
  readonly line: string
  readonly prints: readonly string[]
}

export function readTranscript(text: string): readonly Command[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  const starts = lines.flatMap((line, at) => (line.startsWith('$ ') ? [at] : []))
  return starts.map((at, index) => ({
    line: (lines[at] ?? '').slice(2),
    prints: trimmed(lines.slice(at + 1, starts[index + 1])),
  }))
}

/** Columns may be of any width. */
export function isPrinted({ prints }: Command, printed: string): boolean {
  const pattern = prints.map((line) => (line === '...' ? '(?:.*\\n)*?' : `${lineOf(line)}\\n`)).join('')
  const seen = trimmed(printed.split('\n').map((line) => line.trimEnd()))
  return new RegExp(`^${pattern}$`).test(seen.map((line) => `${line}\n`).join(''))
}

function lineOf(line: string): string {
  const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
  return line
    .split(/ {2,}/)
    .map((cell) => cell.split('…').map(literal).join('\\S+(?: \\S+)*?'))
    .join(' {2,}')
}

function trimmed(lines: readonly string[]): readonly string[] {
  const isText = (line: string) => line !== ''
  return lines.slice(lines.findIndex(isText), lines.findLastIndex(isText) + 1)
}
