/** Variables, functions and strictness, seen from a configuration's text. */
import { expect, test } from 'vitest'
import { objectOf, problemsOf } from './testing.ts'

const pools = (value: string) => `component "metallb" {\n  address_pools = ${value}\n}\n`
const config = 'ConfigMap config'

test.each([
  ['a default', 'variable "cidr" {\n default = "192.0.2.0/28"\n}\n', undefined],
  ['the file of variables', 'variable "cidr" {}\n', 'cidr = "192.0.2.0/28"\n'],
  [
    'the file of variables before a default',
    'variable "cidr" { default = "10.0.0.0/8" }\n',
    'cidr = "192.0.2.0/28"',
  ],
])('a variable has its value from %s', async (_, declared, variables) => {
  const text = `${declared}${pools('{ default = [var.cidr] }')}`
  const object = await objectOf(config, text, variables === undefined ? {} : { variables })
  expect(JSON.stringify(object)).toContain('192.0.2.0/28')
})

test('a variable may be a map, a list, and a part of a text', async () => {
  const text = `
    variable "all" { default = { nets = ["192.0.2.0", "198.51.100.0"], bits = 28 } }
    ${pools('{ "p-${var.all.bits}" = ["${var.all.nets[0]}/${var.all["bits"]}"] }')}`
  expect(JSON.stringify(await objectOf(config, text))).toMatch(/name: p-28.*192\.0\.2\.0\/28/)
})

test('functions read files and know the home folder', async () => {
  const files = { '/home/me/cidr': '192.0.2.0/28' }
  const text = pools('{ default = ["${file(pathexpand("~/cidr"))}"] }')
  expect(JSON.stringify(await objectOf(config, text, { files }))).toContain('192.0.2.0/28')
})

test.each([
  ['a variable that nobody declared', pools('{ a = [var.b] }'), 'a.lokocfg:2:26: there is no variable b'],
  [
    'a variable without a value',
    `variable "b" {}\n${pools('{ a = [var.b] }')}`,
    '3:26: the variable b has neither a default nor a value',
  ],
  [
    'another function',
    pools('{ a = [upper("b")] }'),
    '2:26: there is no function upper(); there are file(), pathexpand()',
  ],
  ['a file that is not there', pools('{ a = [file("b")] }'), '2:26: file("b"): there is none'],
  ['arithmetic', pools('{ a = [1 + 2] }'), '2:26: 1 + 2: an operator is not supported here'],
  ['another type', pools('["a"]'), '2:19: component "metallb": address_pools takes a map, not a list'],
  [
    'another type inside',
    pools('{ a = "b" }'),
    '2:25: component "metallb": address_pools["a"] takes a list, not a text',
  ],
  [
    'a key that is given twice',
    pools('{ a = ["10.0.0.0/8"], "a" = [] }'),
    '2:41: the key "a" is given twice',
  ],
  [
    'another attribute',
    'component "contour" {\n  hosts = []\n}',
    '2:3: component "contour": there is no hosts; there are enable_monitoring, envoy, ',
  ],
  [
    'another block',
    'component "contour" {\n  tolerations {}\n}',
    '2:3: component "contour": there is no tolerations; ',
  ],
  ['an attribute outside', 'a = 1\ncomponent "contour" {}', '1:1: a stands in no block'],
  ['a block of another kind', 'components "contour" {}', '1:1: there is no block components'],
  [
    'a component twice',
    'component "contour" {}\ncomponent "contour" {}',
    '2:1: component "contour": is already at a.lokocfg:1:1',
  ],
  [
    'a component that there is not',
    'component "dex" {}\ncomponent "contour" {}',
    '1:1: component "dex": is none of contour, metallb; name those you want: contour',
  ],
  ['a component without a name', 'component {}', '1:1: component takes one label, its name'],
  [
    'a label where none belongs',
    'component "contour" {\n toleration "a" {}\n}',
    '2:2: component "contour": toleration: takes no label',
  ],
  [
    'a variable with more',
    'variable "a" {\n type = "string"\n}\n',
    '2:2: variable "a": there is no type; there are default',
  ],
  [
    'a block for an attribute',
    'component "metallb" {\n  address_pools {\n    default = ["10.0.0.0/24"]\n  }\n}',
    '2:3: component "metallb": address_pools is an attribute: write `address_pools = {`',
  ],
  [
    'an attribute for a block',
    'component "contour" {\n  envoy = { metrics_scrape_interval = "nonsense" }\n}',
    '2:3: component "contour": envoy is a block: write `envoy {`',
  ],
  [
    'a block for the default of a variable',
    'variable "a" {\n  default {\n    b = "c"\n  }\n}\n',
    '2:3: variable "a": default is an attribute: write `default = {`',
  ],
  [
    'a block for the folder of Lokomotive',
    'component "contour" {}\ncluster "packet" {\n  asset_dir {}\n}\n',
    '3:3: cluster: asset_dir is an attribute: write `asset_dir = "…"`',
  ],
  ['nothing', '', 'no component is configured; name one: contour, metallb'],
])('%s is refused where it stands', async (_, text, told) => {
  expect((await problemsOf(text)).join('\n')).toContain(told)
})

test('a value for a variable that there is not is refused', async () => {
  expect(await problemsOf('component "contour" {}', { variables: 'a = 1\nb {}\n' })).toEqual([
    'lokocfg.vars:1:1: there is no variable "a" to set',
    'lokocfg.vars:2:1: a file of variables has no blocks, and this is a b',
  ])
})

test('problems come all at once, in the order of the text', async () => {
  const text =
    'component "contour" {\n  a = 1\n  service_type = "x"\n  toleration = {}\n  ingress_hosts = 2\n}\nb = 1\n'
  expect((await problemsOf(text)).map((one) => one.split(':')[1])).toEqual(['2', '3', '4', '5', '7'])
})

test('a component that is named and not configured has its defaults, others are left out', async () => {
  const text = 'component "dex" {}\ncluster "packet" { asset_dir = "~/assets" }\nbackend "s3" {}\n'
  expect(await objectOf('Deployment controller', text, { names: ['metallb'] })).toBeDefined()
  await expect(objectOf('Deployment contour', text, { names: ['metallb'] })).rejects.toThrow('there is no')
  expect(await problemsOf(text, { names: ['nginx'] })).toEqual([
    'there is no component "nginx"; there are contour, metallb',
  ])
})
