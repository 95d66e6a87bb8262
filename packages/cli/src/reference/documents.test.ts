/** What the documents have a reader type: commands that exist, with flags that they have, on files that are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { expect, it, test } from 'vitest'
import { commandOf } from '../command.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'images/README.md',
  'e2e/seeds/README.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
]
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(textOf('package.json'))

/** Of programs of others, and of `npm run drill` and `bench`. */
const foreign = ['--disable', '--json', '--modes', '--part', '--samples', '--tail', '--times']

const programs = ['landfall', 'lokoctl', 'contour', 'controller', 'speaker'] as const
const flags = new Set(programs.flatMap((name) => flagsBelow(commandOf(name))))

function flagsBelow(command: Command): readonly string[] {
  const own = command.options.flatMap(({ long, short, negate }) => [
    long ?? '',
    short ?? '',
    ...(negate ? [(long ?? '').replace('--no-', '--')] : []),
  ])
  return [...own, '--help', '-h', ...command.commands.flatMap(flagsBelow)]
}

/** Lines of blocks of code, and code in the text, without what is behind `#`. */
function codeIn(document: string): readonly string[] {
  const parts = textOf(document).split(/^```.*$/m)
  const blocks = parts.filter((_, index) => index % 2 === 1).flatMap((block) => block.split('\n'))
  const prose = parts.filter((_, index) => index % 2 === 0).join('\n')
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\n', ' '))
  return [...blocks, ...spans].map((line) =>
    line
      .replace(/\s#.*$/, '')
      .replaceAll('\\|', '|')
      .trim(),
  )
}

/** What is wrong with a command line of ours, part by part. */
function complaintsOf(line: string): readonly string[] {
  return line.split(/\||&&|;/).flatMap((part) => {
    const words = part.trim().split(/\s+/)
    const at = words.findIndex((word) => !/^(\$|sudo|\S+=\S+)$/.test(word))
    const word = (words[at] ?? '').replace(/^(\$PWD\/)?bin\//, '')
    const name = (['landfall', 'lokoctl', 'contour'] as const).find((one) => one === word)
    if (name === undefined) return []
    return complaintsOfWords(commandOf(name), words.slice(at + 1)).map((text) => `${part.trim()}: ${text}`)
  })
}

function complaintsOfWords(program: Command, words: readonly string[]): readonly string[] {
  let command = program
  const known = new Set(['--help', '-h', ...ownFlags(program)])
  const complaints: string[] = []
  for (const word of words) {
    if (word.startsWith('-') && word !== '-') {
      const [flag = ''] = word.split('=')
      if (!known.has(flag)) complaints.push(`${command.name()} has no ${flag}`)
      continue
    }
    const below = command.commands.find((one) => one.name() === word)
    if (below !== undefined) {
      command = below
      for (const flag of ownFlags(below)) known.add(flag)
    } else if (
      command.commands.length > 0 &&
      /^[a-z-]+$/.test(word) &&
      command.registeredArguments.length === 0
    )
      complaints.push(`${command.name()} has no ${word}`)
  }
  return complaints
}

function ownFlags(command: Command): readonly string[] {
  return command.options.flatMap(({ long, short }) => [long ?? '', short ?? ''])
}

test.each(documents)('commands and flags of %s exist', (document) => {
  const code = codeIn(document)
  const alone = code.flatMap((line) => /^(--?[a-z][\w-]*)/.exec(line)?.[1] ?? [])
  const unknown = alone.filter((flag) => flag.startsWith('--') && !flags.has(flag) && !foreign.includes(flag))
  expect([...unknown, ...code.flatMap(complaintsOf)]).toEqual([])
})

test.each(documents)('files and scripts that %s names exist', (document) => {
  const code = codeIn(document)
  const files = code.flatMap(
    (line) => line.match(/(?<=^|\s)(?:manifests|examples|images|scripts)\/[\w.-]+/g) ?? [],
  )
  const run = code.flatMap((line) => [...line.matchAll(/npm run ([\w-]+)/g)].map(([, name = '']) => name))
  const isThere = (file: string) => existsSync(join(root, file)) || file === 'manifests/dev-raspberry'
  expect(files.filter((file) => !isThere(file))).toEqual([])
  expect(run.filter((name) => scripts[name] === undefined)).toEqual([])
})

it.each([
  ['bin/landfall trace http://a/ --address 1.2.3.4', []],
  ['landfall migrate manifests FILE --image-registry a', []],
  ['lokoctl component install --registry a | less', ['install has no --registry']],
  ['bin/landfall staus', ['landfall has no staus']],
  ['bin/landfall layer2 overlaps', ['layer2 has no overlaps']],
])('a command that is not there is seen: %s', (line, complaints) => {
  expect(complaintsOf(line).map((text) => text.replace(/^.*: /, ''))).toEqual(complaints)
})
