/** The rim to files: the .lokocfg files of a folder, the file of variables, and the functions that read files. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Scope, TextFunction } from './evaluation/evaluate.ts'
import { type Merged, mergeFiles, type ParsedFile } from './lokocfg.ts'
import { formatProblem, type Problem, Problems } from './problem.ts'
import { parseHcl } from './syntax/hcl.ts'

export interface Paths {
  /** A file, or a folder whose `*.lokocfg` are read in the order of their names. */
  readonly lokocfg: string
  /** undefined: `lokocfg.vars` beside where the program runs, if it is there. */
  readonly variables?: string
}

const usualVariables = './lokocfg.vars'

/** What is wrong stands in its problems; a file that has no syntax adds nothing else. */
export async function readLokocfg({ lokocfg, variables }: Paths): Promise<Merged> {
  const problems = new Problems()
  const files: ParsedFile[] = []
  for (const file of filesOf(lokocfg, problems)) {
    const parsed = await readOne(file, problems)
    if (parsed !== undefined) files.push(parsed)
  }
  const named = variables ?? (existsSync(usualVariables) ? usualVariables : undefined)
  const values = named === undefined ? undefined : await readOne(named, problems)
  return mergeFiles(files, values, functions, problems.found)
}

function filesOf(path: string, problems: Problems): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path).filter((name) => name.endsWith('.lokocfg'))
    return names.toSorted().map((name) => join(path, name))
  } catch (error) {
    problems.report('UnreadableFile', undefined, `${path}: ${reasonOf(error)}`)
    return []
  }
}

async function readOne(file: string, problems: Problems): Promise<ParsedFile | undefined> {
  const content = readText(file)
  if (!content.ok) return problems.report('UnreadableFile', undefined, `${file}: ${content.message}`)
  const source = { file, text: content.value }
  const parsed = await parseHcl(source)
  if (parsed.ok) return { source, body: parsed.body }
  problems.add(parsed.problems)
  return undefined
}

const readText: TextFunction = (path) => {
  try {
    return { ok: true, value: readFileSync(path, 'utf8') }
  } catch (error) {
    return { ok: false, message: reasonOf(error) }
  }
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

const functions: Scope['functions'] = {
  file: (path) => readText(expandHome(path)),
  pathexpand: (path) => ({ ok: true, value: expandHome(path) }),
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'may not be read',
  EISDIR: 'is a folder',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? String(error)
}

export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n')
}
