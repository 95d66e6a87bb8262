/** For tests: a configuration given as text, all the way to its objects. */
import { mergeFiles, type ParsedFile } from './lokocfg.ts'
import { formatProblem, Problems } from './problem.ts'
import { type Rendered, renderComponents } from './render.ts'
import { parseHcl } from './syntax/hcl.ts'

const version = '1.2.3'

interface Given {
  readonly names?: readonly string[]
  readonly variables?: string
  /** What `file()` reads. */
  readonly files?: Readonly<Record<string, string>>
  readonly registry?: string
}

export async function render(
  text: string,
  { names = [], variables, files = {}, registry }: Given = {},
): Promise<Rendered> {
  const problems = new Problems()
  const parse = async (file: string, content: string): Promise<readonly ParsedFile[]> => {
    const source = { file, text: content }
    const parsed = await parseHcl(source)
    if (parsed.ok) return [{ source, body: parsed.body }]
    problems.add(parsed.problems)
    return []
  }
  const parsed = await parse('a.lokocfg', text)
  const [values] = variables === undefined ? [] : await parse('lokocfg.vars', variables)
  const functions = {
    file: (path: string) => {
      const value = files[path]
      return value === undefined
        ? ({ ok: false, message: 'there is none' } as const)
        : ({ ok: true, value } as const)
    },
    pathexpand: (path: string) => ({ ok: true, value: path.replace('~', '/home/me') }) as const,
  }
  const release = registry === undefined ? { version } : { version, registry }
  return renderComponents(mergeFiles(parsed, values, functions, problems.found), names, release)
}

/** Each problem as the user reads it. */
export async function problemsOf(text: string, given: Given = {}): Promise<readonly string[]> {
  const rendered = await render(text, given)
  return rendered.ok ? [] : rendered.problems.map(formatProblem)
}

/** Of the rendered objects the one with this name. @throws when there is none */
export async function objectOf(name: string, text: string, given: Given = {}): Promise<object> {
  const rendered = await render(text, given)
  if (!rendered.ok) throw new Error(rendered.problems.map(formatProblem).join('\n'))
  const objects = rendered.components.flatMap((component) => component.objects)
  const found = objects.find(({ kind, metadata }) => `${kind} ${metadata.name}` === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}
