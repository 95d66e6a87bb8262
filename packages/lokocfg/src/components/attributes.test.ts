/** No attribute is taken in silence: each of the tables changes the objects, or a warning says that it does not. */
import { expect, test } from 'vitest'
import { problemsOf, render } from '../testing.ts'
import type { Attribute } from './component.ts'
import { components } from './index.ts'

const rows = components.flatMap(({ name, attributes }) =>
  attributes.map((attribute) => [name, attribute.name, attribute] as const),
)

/** @throws when it is refused */
async function rendered(component: string, text: string) {
  const result = await render(`component "${component}" {\n${text}\n}\n`)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return { objects: JSON.stringify(result.components), warnings: result.warnings }
}

test.each(rows)('%s: %s', async (component, name, { example }) => {
  const [plain, given] = [await rendered(component, ''), await rendered(component, example)]
  const told = given.warnings.filter(({ message }) => message.includes(`: ${name} has no effect`))
  const isSilent = given.objects === plain.objects
  expect([plain.warnings.length, given.warnings.length, told.length]).toEqual(
    isSilent ? [0, 1, 1] : [0, 0, 0],
  )
})

test.each(['deployment', 'daemonset'])('install_mode = "%s" is taken with a warning', async (mode) => {
  const { warnings } = await rendered('contour', `install_mode = "${mode}"`)
  expect(warnings).toEqual([
    {
      at: { file: 'a.lokocfg', line: 2, column: 16 },
      message:
        'component "contour": install_mode has no effect: Contour is a Deployment and Envoy a DaemonSet; leave it out',
    },
  ])
})

test('install_mode of another kind is refused', async () => {
  expect(await problemsOf('component "contour" {\n install_mode = "pod"\n}\n')).toEqual([
    expect.stringContaining('install_mode = "pod" is none of deployment, daemonset'),
  ])
})

test.each(components)('what $name has beyond its attributes is refused', async ({ name, attributes }) => {
  const [told = ''] = await problemsOf(`component "${name}" {\n nothing_such = 1\n}\n`)
  const known = attributes.map((attribute) => attribute.name).toSorted()
  expect(
    told
      .slice(told.indexOf('there are ') + 10)
      .split(', ')
      .toSorted(),
  ).toEqual(known)
})

const isBlock = ({ type }: Attribute) => type.startsWith('block')

/** How a value of the type begins, by the table's words for it. */
function opening({ type }: Attribute): string {
  if (type.startsWith('map')) return '{'
  if (type.startsWith('list')) return '['
  return type.startsWith('true') ? 'true' : '"…"'
}

const blocksForAttributes = rows
  .filter(([, , attribute]) => !isBlock(attribute))
  .flatMap(([component, name, attribute]) =>
    [
      `${name} {}`,
      `${name} "a" {}`,
      `${name} {\n default = ["192.0.2.0/28"]\n}`,
      `${attribute.example}\n${name} {}`,
    ].map((text) => [component, text, name, opening(attribute)] as const),
  )

test.each(blocksForAttributes)(
  '%s: the block %j is told to be an attribute',
  async (component, text, name, value) => {
    const line = text.split('\n').findIndex((one) => /^\w+ (?:"a" )?\{/.test(one)) + 2
    const told = await problemsOf(`component "${component}" {\n${text}\n}\n`)
    expect(told).toContainEqual(
      `a.lokocfg:${line}:1: component "${component}": ${name} is an attribute: write \`${name} = ${value}\``,
    )
    expect(told).toHaveLength(1)
  },
)

const attributesForBlocks = rows
  .filter(([, , attribute]) => isBlock(attribute))
  .flatMap(([component, name]) =>
    ['{}', '{ key = "a", operator = "Exists" }', '[{ key = "a" }, { key = "b" }]', '[]', 'null'].map(
      (value) => [component, name, value] as const,
    ),
  )

test.each(attributesForBlocks)('%s: %s = %s is told to be a block', async (component, name, value) => {
  expect(await problemsOf(`component "${component}" {\n  ${name} = ${value}\n}\n`)).toEqual([
    `a.lokocfg:2:3: component "${component}": ${name} is a block: write \`${name} {\``,
  ])
})

const inside = rows
  .filter(([, , attribute]) => isBlock(attribute))
  .flatMap(([component, block, { type }]) =>
    (/\{ (.*) \}/.exec(type)?.[1] ?? '').split(', ').map((name) => [component, block, name] as const),
  )

test.each(inside)('%s: %s: a block %s is told to be an attribute', async (component, block, name) => {
  const values: Readonly<Record<string, string>> = { values: '[', toleration_seconds: '…' }
  const told = await problemsOf(`component "${component}" {\n ${block} {\n  ${name} {}\n }\n}\n`)
  expect(told).toContainEqual(
    `a.lokocfg:3:3: component "${component}": ${block}: ${name} is an attribute: write \`${name} = ${values[name] ?? '"…"'}\``,
  )
})

test('each attribute and block, and what blocks have, is tried in the wrong form', () => {
  const tried = [
    ...blocksForAttributes.map(([component, , name]) => `${component} ${name}`),
    ...attributesForBlocks.map(([component, name]) => `${component} ${name}`),
  ]
  expect(new Set(tried)).toEqual(new Set(rows.map(([component, name]) => `${component} ${name}`)))
  expect(inside).toHaveLength(3 * 5 + 3 + 1)
})
