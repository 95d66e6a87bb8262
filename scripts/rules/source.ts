/** One source file as the rules see it: its imports, and its uses of what pure code may not touch. */
import { parseSync, Visitor } from 'oxc-parser'
import { impureGlobals, impureMembers } from './purity.ts'

export interface Import {
  readonly specifier: string
  readonly names: readonly string[]
  /** `import type`, gone at run time. */
  readonly typeOnly: boolean
  readonly line: number
}

export interface Source {
  /** From the root, with forward slashes. */
  readonly file: string
  readonly lines: number
  readonly imports: readonly Import[]
  readonly impurities: readonly { readonly what: string; readonly line: number }[]
}

export function parseSource(file: string, text: string): Source {
  const parsed = parseSync(file, text)
  const lineOf = lineCounter(text)
  const imports: Import[] = []
  for (const entry of parsed.module.staticImports) {
    imports.push({
      specifier: entry.moduleRequest.value,
      names: entry.entries.map((name) => name.importName.name ?? '*'),
      typeOnly: entry.entries.length > 0 && entry.entries.every((name) => name.isType),
      line: lineOf(entry.start),
    })
  }
  for (const entry of parsed.module.staticExports) {
    for (const name of entry.entries) {
      if (!name.moduleRequest) continue
      const specifier = name.moduleRequest.value
      imports.push({ specifier, names: ['*'], typeOnly: name.isType, line: lineOf(entry.start) })
    }
  }
  for (const entry of parsed.module.dynamicImports) {
    const literal = text.slice(entry.moduleRequest.start, entry.moduleRequest.end)
    const specifier = /^['"](.*)['"]$/.exec(literal)?.[1]
    if (specifier !== undefined)
      imports.push({ specifier, names: ['*'], typeOnly: false, line: lineOf(entry.start) })
  }
  return {
    file,
    lines: text.split('\n').length - 1,
    imports,
    impurities: findImpurities(parsed.program, lineOf),
  }
}

type Program = ReturnType<typeof parseSync>['program']

function findImpurities(program: Program, lineOf: (offset: number) => number): Source['impurities'] {
  const found: { what: string; line: number }[] = []
  const named = new Set<number>()
  const add = (what: string, offset: number) => found.push({ what, line: lineOf(offset) })
  new Visitor({
    MemberExpression(node) {
      if (!node.computed) named.add(node.property.start)
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return
      const member = `${node.object.name}.${node.property.name}`
      if (impureMembers.includes(member)) add(member, node.start)
    },
    Property(node) {
      if (!node.computed) named.add(node.key.start)
    },
    NewExpression(node) {
      const clock = node.callee.type === 'Identifier' && node.callee.name === 'Date'
      if (clock && node.arguments.length === 0) add('new Date()', node.start)
    },
    TSPropertySignature(node) {
      named.add(node.key.start)
    },
    'PropertyDefinition:exit'(node) {
      named.add(node.key.start)
    },
    Identifier(node) {
      if (impureGlobals.includes(node.name) && !named.has(node.start)) add(node.name, node.start)
    },
  }).visit(program)
  return found
}

function lineCounter(text: string): (offset: number) => number {
  return (offset) => {
    let line = 1
    for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
    return line
  }
}
