/** Conditions on headers and parameters of the query, through a real Envoy: which requests each of them takes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { Client, proxyObject, settled, translateFor } from './traffic.ts'

/** undefined: without the header. */
type Values = readonly (string | undefined)[]

/** On a header `X-A`: the values that are taken, and those that are not. */
const ofHeaders: readonly (readonly [condition: string, taken: Values, left: Values])[] = [
  ['present: true', ['', 'a'], [undefined]],
  ['notpresent: true', [undefined], ['', 'a']],
  ['contains: is', ['is', 'this'], ['Is', 'i', undefined]],
  ['contains: is, ignoreCase: true', ['is', 'This', 'thIS'], ['i', undefined]],
  ['notcontains: is', ['i', 'Is'], ['is', 'this', undefined]],
  ['notcontains: is, ignoreCase: true', ['i'], ['is', 'This', undefined]],
  ['notcontains: is, treatMissingAsEmpty: true', ['i', 'Is', undefined], ['this']],
  ['exact: is', ['is'], ['Is', 'this', undefined]],
  ['exact: is, ignoreCase: true', ['is', 'IS'], ['this', undefined]],
  ['notexact: is', ['Is', 'this'], ['is', undefined]],
  ['notexact: is, ignoreCase: true', ['this'], ['is', 'Is', undefined]],
  ['notexact: is, treatMissingAsEmpty: true', ['this', undefined], ['is']],
  ['notexact: is, ignoreCase: true, treatMissingAsEmpty: true', ['this', undefined], ['is', 'Is']],
  ["regex: 'i[a-z]'", ['is'], ['Is', 'this', 'iss', undefined]],
]

const ofQueries: readonly (readonly [
  condition: string,
  taken: readonly string[],
  left: readonly string[],
])[] = [
  ['exact: is', ['a=is', 'b=1&a=is'], ['a=Is', 'a=this', 'A=is', 'b=is', '']],
  ['exact: is, ignoreCase: true', ['a=is', 'a=IS'], ['a=this', 'A=is', '']],
  ['prefix: is', ['a=is', 'a=isle'], ['a=this', 'a=Isle', '']],
  ['prefix: is, ignoreCase: true', ['a=Isle'], ['a=this']],
  ['suffix: is', ['a=is', 'a=this'], ['a=isle', 'a=thIS', '']],
  ['suffix: is, ignoreCase: true', ['a=thIS'], ['a=isle']],
  ['contains: is', ['a=is', 'a=this', 'a=isle'], ['a=i', 'a=Is', '']],
  ['contains: is, ignoreCase: true', ['a=thISle'], ['a=i']],
  ["regex: 'i[a-z]'", ['a=is'], ['a=Is', 'a=this', 'a=iss', '']],
  ['present: true', ['a', 'a=', 'a=is'], ['b=a', '']],
]

const ofMethods: readonly (readonly [
  condition: string,
  taken: readonly string[],
  left: readonly string[],
])[] = [
  ['exact: PUT', ['PUT'], ['GET', 'POST']],
  ['notexact: PUT', ['GET', 'POST'], ['PUT']],
]

const direct = 'directResponsePolicy: {statusCode: 200}'
const route = (path: string, condition: string) => `{conditions: [{exact: ${path}}, ${condition}], ${direct}}`

/** Below includes with the prefixes `/in.side/` and `/deep`. */
const below: readonly (readonly [condition: string, taken: readonly string[], left: readonly string[]])[] = [
  ["regex: '/x[0-9]|/.+z'", ['/x1', '/yz', '//x1'], ['/x1/y', '/x']],
  ['exact: /is', ['/is'], ['/is/', '/isle']],
  ['prefix: /pre', ['/pre', '/prefix', '/pre/fix'], ['/Pre', '/p']],
]
const inside = '/in.side/deep'

const text = proxyObject(
  'conditions',
  `routes: [${[
    ...ofHeaders.map(([how], index) => route(`/h${index}`, `{header: {name: X-A, ${how}}}`)),
    ...ofQueries.map(([how], index) => route(`/q${index}`, `{queryParameter: {name: a, ${how}}}`)),
    ...ofMethods.map(([how], index) => route(`/m${index}`, `{header: {name: ':method', ${how}}}`)),
  ].join(', ')}]`,
)

const included = [
  proxyObject('included', 'includes: [{name: first, conditions: [{prefix: /in.side/}]}]'),
  `---
kind: HTTPProxy
metadata: {name: first, namespace: web}
spec: {includes: [{name: second, conditions: [{prefix: /deep}]}]}
---
kind: HTTPProxy
metadata: {name: second, namespace: web}
spec: {routes: [${below.map(([how], index) => `{conditions: [{${how}}], directResponsePolicy: {statusCode: 200, body: "${index}"}}`).join(', ')}]}
`,
].join('')

const child = (name: string, spec: string) =>
  `---\nkind: HTTPProxy\nmetadata: {name: ${name}, namespace: web}\nspec: {${spec}}\n`
const says = (body: string, prefix?: string) =>
  `{conditions: [${prefix === undefined ? '' : `{prefix: ${prefix}}`}], directResponsePolicy: {statusCode: 200, body: ${body}}}`
const include = (name: string, prefix: string) => `{name: ${name}, conditions: [{prefix: ${prefix}}]}`

/** Objects with something wrong in them. */
const partly = [
  proxyObject('lacking', `includes: [{name: none}], routes: [${says('there', '/there')}]`),
  proxyObject('twice', `routes: [${says('first')}, ${says('second')}]`),
  proxyObject(
    'partly',
    `includes: [${include('round', '/round')}, ${include('wrong', '/wrong')}, ${include('twice', '/root')}, {name: none}],
     routes: [${says('root')}]`,
  ),
  child('round', `includes: [${include('about', '/about')}], routes: [${says('round')}]`),
  child('about', `includes: [${include('round', '/again')}], routes: [${says('about')}]`),
  child('wrong', `routes: [${says('right', '/right')}, {conditions: [{regex: '/['}], ${direct}}]`),
  proxyObject(
    'wrong-root',
    `includes: [${include('round', '/round')}], routes: [${says('right')}, {conditions: [{prefix: x}], ${direct}}]`,
  ),
].join('')

describe.skipIf(withoutEnvoy())('a route with one condition', () => {
  const stand = new Stand()
  let client: Client

  const isTaken = async (path: string, call: { method?: string; headers?: Record<string, string> } = {}) =>
    (await client.send('conditions.test', { path, ...call })).status === 200

  beforeAll(async () => {
    await stand.open()
    await stand.startEnvoy()
    stand.publishEach((layout) => translateFor(stand, text + included + partly, layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('conditions.test'))
    client = new Client(stand.httpPort)
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
  })

  test.each(ofHeaders.map((row, index) => [...row, index] as const))(
    'header %s: %j are taken, %j are not',
    async (_how, taken, left, index) => {
      expect(stand.refused).toEqual([])
      const by = (value: string | undefined) =>
        isTaken(`/h${index}`, { headers: value === undefined ? {} : { 'x-a': value } })
      expect(await Promise.all(taken.map(by))).toEqual(taken.map(() => true))
      expect(await Promise.all(left.map(by))).toEqual(left.map(() => false))
    },
  )

  test.each(ofQueries.map((row, index) => [...row, index] as const))(
    'parameter %s: %j are taken, %j are not',
    async (_how, taken, left, index) => {
      const by = (query: string) => isTaken(`/q${index}?${query}`)
      expect(await Promise.all(taken.map(by))).toEqual(taken.map(() => true))
      expect(await Promise.all(left.map(by))).toEqual(left.map(() => false))
    },
  )

  test.each(ofMethods.map((row, index) => [...row, index] as const))(
    'method %s: %j are taken, %j are not',
    async (_how, taken, left, index) => {
      const by = (method: string) => isTaken(`/m${index}`, { method })
      expect(await Promise.all(taken.map(by))).toEqual(taken.map(() => true))
      expect(await Promise.all(left.map(by))).toEqual(left.map(() => false))
    },
  )

  test.each(below.map((row, index) => [...row, index] as const))(
    'path below includes %s: %j are taken, %j are not',
    async (_how, taken, left, index) => {
      const by = async (path: string) => {
        const { status, body } = await client.send('included.test', { path })
        return status === 200 && body === String(index)
      }
      const under = (prefix: string, paths: readonly string[]) => paths.map((path) => by(`${prefix}${path}`))
      expect(await Promise.all(under(inside, taken))).toEqual(taken.map(() => true))
      expect(await Promise.all(under(inside, left))).toEqual(left.map(() => false))
      const elsewhere = [...under('', taken), ...under('/in-side/deep', taken), ...under('/in.side', taken)]
      expect(await Promise.all(elsewhere)).toEqual(elsewhere.map(() => false))
    },
  )

  test.each([
    ['twice', '/', 'second'],
    ['lacking', '/', 404],
    ['lacking', '/there', 'there'],
    ['partly', '/', 'root'],
    ['partly', '/round', 'round'],
    ['partly', '/round/about', 'about'],
    ['partly', '/round/about/again', 'about'],
    ['partly', '/wrong/right', 'root'],
    ['partly', '/root', 502],
    ['wrong-root', '/', 404],
    ['wrong-root', '/round', 404],
  ])('what is wrong takes no more with it than its own: %s%s is %s', async (host, path, wanted) => {
    const { status, body } = await client.send(`${host}.test`, { path })
    expect(status === 200 ? body : status).toBe(wanted)
  })
})
