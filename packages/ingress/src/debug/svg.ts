/** A graph as an SVG page, for a browser: a column a kind, and each node beside the first that leads to it. */
import { columns, type Graph, type Node } from './graph.ts'

const width = 380
const gap = 90
const lineHeight = 15
const padding = 8
const longest = 52

interface Placed extends Node {
  readonly x: number
  readonly y: number
  readonly height: number
}

const colours: Readonly<Record<Node['column'], string>> = {
  listener: '#d7e3f4',
  host: '#ddf0dd',
  route: '#fbf3d5',
  cluster: '#f0e0ef',
}

export function svgOf(graph: Graph): string {
  const placed = place(graph)
  const height = Math.max(0, ...[...placed.values()].map((node) => node.y + node.height)) + gap
  const total = columns.length * (width + gap)
  const lines = graph.edges.flatMap(({ from, to, weight }) => {
    const [a, b] = [placed.get(from), placed.get(to)]
    return a === undefined || b === undefined ? [] : [edge(a, b, weight)]
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${total}" height="${height}" font-family="monospace" font-size="11">`,
    '<title>What is served</title>',
    ...lines,
    ...[...placed.values()].map(box),
    '</svg>',
    '',
  ].join('\n')
}

/** From left to right, so that what a node leads to is near it. */
function place({ nodes, edges }: Graph): ReadonlyMap<string, Placed> {
  const placed = new Map<string, Placed>()
  const order = new Map<string, number>()
  for (const [column, name] of columns.entries()) {
    const own = nodes.filter((node) => node.column === name)
    const wanted = new Map<string, number>()
    for (const { from, to } of edges) {
      const at = order.get(from)
      if (at !== undefined) wanted.set(to, Math.min(at, wanted.get(to) ?? at))
    }
    const sorted = own.toSorted((a, b) => (wanted.get(a.id) ?? 0) - (wanted.get(b.id) ?? 0))
    let y = padding
    for (const node of sorted) {
      const height = node.lines.length * lineHeight + padding
      order.set(node.id, y)
      placed.set(node.id, { ...node, x: padding + column * (width + gap), y, height })
      y += height + padding
    }
  }
  return placed
}

function box({ column, lines, x, y, height }: Placed): string {
  const texts = lines.map((line, index) => {
    const short = line.length > longest ? `${line.slice(0, longest - 1)}…` : line
    const at = y + (index + 1) * lineHeight
    return `<text x="${x + padding}" y="${at}">${escaped(short)}</text>`
  })
  const rect = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3" fill="${colours[column]}" stroke="#888"/>`
  return `<g><title>${escaped(lines.join('\n'))}</title>${rect}${texts.join('')}</g>`
}

function edge(a: Placed, b: Placed, weight: number | undefined): string {
  const [x1, y1, x2, y2] = [a.x + width, a.y + a.height / 2, b.x, b.y + b.height / 2]
  const middle = (x1 + x2) / 2
  const path = `<path d="M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}" fill="none" stroke="#888"/>`
  return weight === undefined ? path : `${path}<text x="${x2 - 30}" y="${y2 - 4}">${weight}</text>`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
