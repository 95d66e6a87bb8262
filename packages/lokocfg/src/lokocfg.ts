/**
 * The files of one folder, merged → the components that they configure, variables known; `cluster` and `backend` blocks
 * say how machines are made, which is not done here: of them only where the kubeconfig is counts.
 */
import { evaluate, type Scope } from './evaluation/evaluate.ts'
import { BlockReader, type Context, text } from './evaluation/reader.ts'
import type { Value } from './evaluation/value.ts'
import { formatPlace, type Problem, Problems } from './problem.ts'
import type { Block, Body } from './syntax/body.ts'
import type { Expression } from './syntax/expression.ts'
import { placeAt, type Source } from './syntax/source.ts'

/** A file that was parsed. */
export interface ParsedFile {
  readonly source: Source
  readonly body: Body<Expression>
}

export interface Lokocfg {
  /** In the order of the files and in them. */
  readonly components: ReadonlyMap<string, BlockReader>
  /** Where Lokomotive keeps what it knows of the cluster. */
  readonly assetDir?: string
}

export interface Merged extends Lokocfg {
  /** Of the whole; components have theirs as they are read, in the same list. */
  readonly problems: Problems
}

const topLevel = ['backend', 'cluster', 'component', 'variable']

/** @param values the file of variables, when there is one */
export function mergeFiles(
  files: readonly ParsedFile[],
  values: ParsedFile | undefined,
  functions: Scope['functions'],
  found: readonly Problem[] = [],
): Merged {
  const problems = new Problems()
  problems.add(found)
  const scope: Scope = { functions, variables: readVariables(files, values, functions, problems) }
  const components = new Map<string, BlockReader>()
  let assetDir: string | undefined
  for (const file of files) {
    const context = contextOf(file, scope, problems)
    refuseTopLevel(file.body, context)
    for (const block of file.body.blocks) {
      if (block.type === 'component') addComponent(components, block, context)
      if (block.type === 'cluster')
        assetDir ??= new BlockReader(block, context, 'cluster').read('asset_dir', text)?.value
    }
  }
  return { components, problems, ...(assetDir === undefined ? {} : { assetDir }) }
}

function contextOf({ source }: ParsedFile, scope: Scope, problems: Problems): Context {
  return { scope, problems, placeOf: (index) => placeAt(source, index) }
}

function refuseTopLevel({ attributes, blocks }: Body<Expression>, { problems, placeOf }: Context): void {
  const names = topLevel.join(', ')
  for (const { name, index } of attributes) {
    problems.report('UnknownAttribute', placeOf(index), `${name} stands in no block; there are ${names}`)
  }
  for (const { type, index } of blocks) {
    if (topLevel.includes(type)) continue
    problems.report('UnknownBlock', placeOf(index), `there is no block ${type}; there are ${names}`)
  }
}

function addComponent(
  components: Map<string, BlockReader>,
  block: Block<Expression>,
  context: Context,
): void {
  const name = onlyLabel(block, context)
  if (name === undefined) return
  const reader = new BlockReader(block, context, `component "${name}"`)
  const other = components.get(name)
  if (other === undefined) components.set(name, reader)
  else reader.refuse('Duplicate', `is already at ${formatPlace(other.at)}`)
}

function onlyLabel({ type, labels, index }: Block<Expression>, context: Context): string | undefined {
  const [name, second] = labels
  if (name !== undefined && second === undefined) return name
  return context.problems.report('UnknownBlock', context.placeOf(index), `${type} takes one label, its name`)
}

function readVariables(
  files: readonly ParsedFile[],
  values: ParsedFile | undefined,
  functions: Scope['functions'],
  problems: Problems,
): ReadonlyMap<string, Value | undefined> {
  const empty: Scope = { functions, variables: new Map() }
  const variables = new Map<string, Value | undefined>()
  for (const file of files) {
    const context = contextOf(file, empty, problems)
    for (const block of file.body.blocks.filter(({ type }) => type === 'variable')) {
      const name = onlyLabel(block, context)
      if (name === undefined) continue
      const reader = new BlockReader(block, context, `variable "${name}"`)
      if (variables.has(name)) reader.refuse('Duplicate', 'is there twice')
      variables.set(name, reader.read('default', (value) => value)?.value)
      reader.finish()
    }
  }
  if (values !== undefined) setVariables(variables, values, empty, problems)
  return variables
}

function setVariables(
  variables: Map<string, Value | undefined>,
  file: ParsedFile,
  scope: Scope,
  problems: Problems,
): void {
  const { placeOf } = contextOf(file, scope, problems)
  for (const { type, index } of file.body.blocks) {
    problems.report(
      'UnknownBlock',
      placeOf(index),
      `a file of variables has no blocks, and this is a ${type}`,
    )
  }
  for (const { name, index, expression } of file.body.attributes) {
    const value = evaluate(expression, scope, problems)
    if (variables.has(name)) variables.set(name, value)
    else problems.report('UnknownVariable', placeOf(index), `there is no variable "${name}" to set`)
  }
}
