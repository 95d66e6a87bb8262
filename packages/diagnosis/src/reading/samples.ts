/** Prometheus' text format → samples. Pure text work. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function samplesOf(exposition: string): readonly Sample[] {
  return exposition.split('\n').flatMap((line) => {
    const [, name, labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    return name === undefined ? [] : [{ name, labels: labelsIn(labels), value: Number(value) }]
  })
}

function labelsIn(text: string): Sample['labels'] {
  const pairs = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
  return Object.fromEntries(
    pairs.map(([, name = '', value = '']) => [name, value.replaceAll(/\\(.)/g, unescaped)]),
  )
}

function unescaped(_: string, letter: string): string {
  return letter === 'n' ? '\n' : letter
}
