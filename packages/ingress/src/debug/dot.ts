/** A graph in Graphviz' language. */
import type { Graph, Node } from './graph.ts'

const shapes: Readonly<Record<Node['column'], string>> = {
  listener: 'house',
  host: 'box',
  route: 'note',
  cluster: 'ellipse',
}

export function dotOf({ nodes, edges }: Graph): string {
  const lines = [
    'digraph DAG {',
    'rankdir=LR',
    ...nodes.map(
      ({ id, column, lines: label }) =>
        `${quoted(id)} [shape=${shapes[column]}, label=${quoted(label.join('\n'))}]`,
    ),
    ...edges.map(
      ({ from, to, weight }) =>
        `${quoted(from)} -> ${quoted(to)}${weight === undefined ? '' : ` [label=${quoted(String(weight))}]`}`,
    ),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
