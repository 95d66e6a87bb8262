import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bgpType, layer2Type } from './report.ts'
import { SaidOfServices } from './said-of-services.ts'

const raw = (name: string, service: string, status: object) => ({
  metadata: {
    name,
    uid: `uid of ${name}`,
    resourceVersion: '7',
    creationTimestamp: `creation of ${name}`,
    labels: { 'metallb.io/service-name': service },
  },
  status: { serviceNamespace: 'default', ...status },
})

test('what three nodes say of a Service by BGP is one value, of which nothing of the objects is kept', () => {
  const said = new SaidOfServices()
  const type = bgpType((one) => said.once(one))
  const [first, ...others] = ['n1', 'n2', 'n3'].map((node) =>
    type.project(raw(`of-${node}`, 'web', { node })),
  )
  if (first === undefined) throw new Error('nothing was read')
  expect(others.every((other) => other === first)).toBe(true)
  expect(JSON.stringify(first)).not.toMatch(/of-n1|uid of|creation of|"7"/)
  expect(said.of('default/web')).toEqual([])
  for (const one of [first, ...others]) said.add(one)
  expect(said.of('default/web')).toEqual([first])
  for (const one of others) said.remove(one)
  expect(said.of('default/web')).toEqual([first])
  said.remove(first)
  expect(said.of('default/web')).toEqual([])
})

test('any history of objects: what is said is what the objects there are say', () => {
  const status = fc.constantFrom(
    {},
    { node: 'n1' },
    { node: 'n2' },
    { reason: 'noEndpoints', message: 'none' },
  )
  const step = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom('a', 'b'), fc.option(status))
  fc.assert(
    fc.property(fc.array(step), fc.constantFrom(layer2Type, bgpType), (steps, typeOf) => {
      const said = new SaidOfServices()
      const type = typeOf((one) => said.once(one))
      const there = new Map<number, ReturnType<typeof type.project>>()
      for (const [index, service, wanted] of steps) {
        const before = there.get(index)
        const after = wanted === null ? undefined : type.project(raw(`r${index}`, service, wanted))
        if (before === after) continue
        if (before !== undefined) said.remove(before)
        if (after !== undefined) said.add(after)
        if (after === undefined) there.delete(index)
        else there.set(index, after)
      }
      for (const service of ['default/a', 'default/b']) {
        const texts = [...there.values()]
          .filter((one) => one.service === service)
          .map((one) => JSON.stringify(one))
        expect(
          said
            .of(service)
            .map((one) => JSON.stringify(one))
            .toSorted(),
        ).toEqual([...new Set(texts)].toSorted())
      }
    }),
  )
})
