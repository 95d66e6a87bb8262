/** The import graph of files, and its cycles: among files, and among folders of which none contains the other. */

export type Graph = ReadonlyMap<string, ReadonlySet<string>>

export function folderGraph(files: Graph): Graph {
  const folders = new Map<string, Set<string>>()
  for (const [file, targets] of files) {
    const from = folderOf(file)
    const edges = folders.get(from) ?? new Set()
    folders.set(from, edges)
    for (const target of targets) {
      const to = folderOf(target)
      if (!contains(from, to) && !contains(to, from)) edges.add(to)
    }
  }
  return folders
}

/** Each strongly connected group of more than one node, as one walk through it (Tarjan). */
export function findCycles(graph: Graph): readonly (readonly string[])[] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[][] = []
  const visit = (node: string): void => {
    index.set(node, index.size)
    low.set(node, index.size - 1)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0))
    }
    if (low.get(node) !== index.get(node)) return
    const group = stack.splice(stack.indexOf(node))
    if (group.length > 1) cycles.push(walk(graph, group.toSorted()))
  }
  for (const node of [...graph.keys()].toSorted()) if (!index.has(node)) visit(node)
  return cycles
}

/** The shortest way from the group's first member back to itself. */
function walk(graph: Graph, group: readonly string[]): string[] {
  const start = group[0] ?? ''
  const paths: string[][] = [[start]]
  const seen = new Set<string>()
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    for (const next of graph.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return [...path, start]
      if (!group.includes(next) || seen.has(next)) continue
      seen.add(next)
      paths.push([...path, next])
    }
  }
  return [...group]
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/'))
}

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}
