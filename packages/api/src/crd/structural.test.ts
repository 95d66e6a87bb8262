import { expect, test } from 'vitest'
import { int32, list, object, oneOf, optional, rules, text, textMap } from '../schema/build.ts'
import { structural } from './structural.ts'

test('every node gets a type, maps become additionalProperties, keys are sorted', () => {
  const schema = object(
    {
      zone: optional(oneOf(['a', 'b'], { default: 'a' })),
      codes: list(oneOf([301, 302]), 'Codes.', { minItems: 1 }),
      labels: optional(textMap('Labels.')),
      nothing: optional(object({})),
      count: int32('Count.', { minimum: 1 }),
    },
    rules({ rule: 'self.count > 0', message: 'count' }),
  )
  expect(JSON.stringify(structural(schema))).toBe(
    JSON.stringify({
      properties: {
        codes: {
          description: 'Codes.',
          items: { enum: [301, 302], type: 'integer' },
          minItems: 1,
          type: 'array',
        },
        count: { description: 'Count.', format: 'int32', minimum: 1, type: 'integer' },
        labels: { additionalProperties: { type: 'string' }, description: 'Labels.', type: 'object' },
        nothing: { type: 'object' },
        zone: { default: 'a', enum: ['a', 'b'], type: 'string' },
      },
      required: ['codes', 'count'],
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'self.count > 0', message: 'count' }],
    }),
  )
})

test('a property may have the name of a schema keyword', () => {
  const converted = structural(object({ items: text('Items.'), properties: optional(text('Properties.')) }))
  expect(converted).toEqual({
    properties: {
      items: { description: 'Items.', type: 'string' },
      properties: { description: 'Properties.', type: 'string' },
    },
    required: ['items'],
    type: 'object',
  })
})

test('a schema whose type cannot be told is a mistake of ours', () => {
  expect(() => structural({ type: 'object', properties: { x: {} } })).toThrow('schema without a type')
})
