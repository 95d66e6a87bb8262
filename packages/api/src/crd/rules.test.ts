/** The rules in CEL run on Kubernetes 1.25, and the bounds that they need are known. */
import { expect, test } from 'vitest'
import { metallbResources, projectcontourResources } from './index.ts'
import { structural } from './structural.ts'

/** What the API server of 1.25 can call: the language itself, and the libraries of lists, strings and regexes. */
const known1_25 = new Set(
  `has all exists exists_one map filter size contains startsWith endsWith matches int uint double string bytes
  duration timestamp type dyn getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds
  getMinutes getMonth getSeconds isSorted sum min max indexOf lastIndexOf find findAll charAt lowerAscii upperAscii
  replace split substring trim url getScheme getHost getHostname getPort getEscapedPath getQuery isURL`.split(
    /\s+/,
  ),
)

interface Found {
  readonly path: string
  readonly node: Readonly<Record<string, unknown>>
}

function* nodesOf(schema: unknown, path: string): Iterable<Found> {
  if (typeof schema !== 'object' || schema === null) return
  const node: Readonly<Record<string, unknown>> = { ...schema }
  yield { path, node }
  for (const [name, property] of Object.entries({ ...(node['properties'] as object | undefined) }))
    yield* nodesOf(property, `${path}.${name}`)
  yield* nodesOf(node['items'], `${path}[]`)
  yield* nodesOf(node['additionalProperties'], `${path}.*`)
}

const nodes = [...metallbResources, ...projectcontourResources].flatMap(({ kind, versions }) =>
  versions.flatMap(({ name, spec, status }) => [
    ...nodesOf(structural(spec), `${kind} ${name} spec`),
    ...nodesOf(structural(status), `${kind} ${name} status`),
  ]),
)

const written = nodes.flatMap(({ path, node }) => {
  const rules = (node['x-kubernetes-validations'] ?? []) as readonly Readonly<Record<string, string>>[]
  return rules.map((rule) => ({ path, rule }))
})

test.each(written.map(({ path, rule }) => [path, rule['rule'] ?? '', rule] as const))(
  '%s: %s runs on Kubernetes 1.25',
  (_, text, rule) => {
    const withoutText = text.replaceAll(/'[^']*'/g, "''")
    const calls = [...withoutText.matchAll(/([A-Za-z_]\w*)\s*\(/g)].map(([, name]) => name ?? '')
    expect(calls.filter((name) => !known1_25.has(name))).toEqual([])
    // Optional fields and other types came later; so did every key of a rule but these two.
    expect(withoutText).not.toMatch(/\?\.|\[\?|\boptional\b/)
    expect(Object.keys(rule).toSorted()).toEqual(['message', 'rule'])
  },
)

test('there are rules', () => {
  expect(written.length).toBeGreaterThan(10)
})

test('the bounds of lists and texts', async () => {
  const bounds = nodes.flatMap(({ path, node }) =>
    ['minItems', 'maxItems', 'minLength', 'maxLength', 'minimum', 'maximum']
      .filter((key) => node[key] !== undefined && !path.includes('.conditions[]'))
      .map((key) => `${path}: ${key} ${String(node[key])}`),
  )
  await expect(`${bounds.join('\n')}\n`).toMatchFileSnapshot('../../testdata/bounds.txt')
})
