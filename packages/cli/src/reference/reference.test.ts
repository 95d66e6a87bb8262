import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { annotations } from './annotations.ts'
import { commandFlags } from './flags.ts'
import { meanings } from './meanings.ts'
import { reasonTables } from './reasons.ts'

const packages = fileURLToPath(new URL('../../../', import.meta.url))

function sourcesOf(name: string): string {
  const folder = `${packages}${name}/src/`
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(`${folder}${file}`, 'utf8'))
    .join('\n')
}

const sources = ['lb', 'speaker', 'metallb', 'ingress'].map(sourcesOf).join('\n')

it.each(annotations.map(({ name }) => [name]))('%s is in the sources', (name) => {
  const last = name.split('/').at(-1) ?? ''
  const [start = '', protocol] = last.split(/(?<=upstream-protocol)\./)
  expect(sources).toContain(start)
  expect(sources).toContain(protocol === undefined ? '' : `'${protocol}'`)
})

it('names every annotation that stands whole in the sources', () => {
  const kinds =
    /(?:Annotation|allocatedFromPool|forceRedirect|allowHttp|websocketRoutes|certificateNamespace|minimumVersion|maximumVersion) = '((?:metallb|projectcontour|kubernetes|ingress\.kubernetes)\.io\/[^']+)'/g
  const short =
    /(?:annotations\[|const count = )`(?:\$\{prefix\}|projectcontour\.io\/)([a-z-]+)`|annotation\('([\w-]+)'\)/g
  const whole = [...sources.matchAll(kinds)].map(([, name = '']) => name)
  const ends = [...sources.matchAll(short)].map(([, name, other]) => name ?? other ?? '')
  expect([whole.length, ends.length].every((count) => count > 7)).toBe(true)
  const known = annotations.map(({ name }) => name)
  expect(whole.filter((name) => !known.includes(name))).toEqual([])
  expect(ends.filter((end) => !known.some((name) => name.endsWith(`/${end}`)))).toEqual([])
})

it('finds reasons of every kind', () => {
  for (const { title, reasons } of reasonTables()) expect([title, reasons.length > 1]).toEqual([title, true])
})

it('finds the codes that are written in other ways too, each once in its table, with what to do', () => {
  const tables = reasonTables().map(({ reasons }) => reasons.map(({ reason }) => reason))
  for (const codes of tables) expect(new Set(codes).size).toBe(codes.length)
  const wanted = [
    'connectFailed',
    'connectTimeout',
    'IncludeNotFound',
    'EnvoyRefused',
    'podsNotReady',
    'noSessionUp',
  ]
  expect(tables.flat()).toEqual(expect.arrayContaining(wanted))
  const [noFree] = reasonTables().flatMap(({ reasons }) =>
    reasons.filter(({ reason }) => reason === 'NoFreeAddress'),
  )
  expect(noFree?.next).toMatch(/^Add addresses/)
})

it('explains every reason: what it means, and what to do', () => {
  const tables = reasonTables()
  const all = tables.flatMap(({ reasons }) => reasons)
  expect(all.filter(({ meaning }) => meaning === '').map(({ reason }) => reason)).toEqual([])
  // A move by layer 2 is no fault.
  const faults = tables
    .filter(({ title }) => !title.includes('changed its node'))
    .flatMap((one) => one.reasons)
  expect(faults.filter(({ next }) => next === '').map(({ reason }) => reason)).toEqual([])
  const codes = new Set(all.map(({ reason }) => reason))
  expect(Object.keys(meanings).filter((reason) => !codes.has(reason))).toEqual([])
})

it('finds what one of two ways leads to', () => {
  const codes = reasonTables().flatMap(({ reasons }) => reasons.map(({ reason }) => reason))
  const wanted = ['addressOfAnother', 'someSessionsDown', 'noAddress', 'JWKSSourceMissing', 'portInUse']
  expect(codes).toEqual(expect.arrayContaining(wanted))
})

it('says nothing of the machine it runs on', () => {
  const text = JSON.stringify(commandFlags())
  expect(commandFlags().map(({ command }) => command)).toContain('landfall envoy shutdown')
  expect(text).not.toContain(process.env['HOSTNAME'] ?? 'no host name')
  expect(text).not.toMatch(/\/tmp\/|\/root\//)
})
