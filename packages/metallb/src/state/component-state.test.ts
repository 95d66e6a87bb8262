import { expect, test } from 'vitest'
import { componentState } from './component-state.ts'

const at = () => new Date('2026-01-01T00:00:00Z')
const clean = {
  type: 'configReconcilerValid',
  refusals: [],
  warnings: [],
  source: 'objects',
  both: false,
  configMap: 'ConfigMap x/config',
} as const
const about = { kind: 'L2Advertisement', namespace: 'x', name: 'a', field: 'spec.y' }

test('warnings leave the state valid', () => {
  const warning = { ...about, reason: 'UnknownPool', message: 'there is none' } as const
  expect(componentState({}, { ...clean, warnings: [warning] }, at)).toMatchObject({
    result: 'Valid',
    errorSummary: '',
    conditions: [
      { type: 'configReconcilerValid', status: 'True', reason: 'Reconciled' },
      { type: 'referencesResolved', status: 'False', reason: 'UnknownPool', message: 'there is none' },
    ],
  })
})

test('a refusal makes it invalid, and stands in the summary', () => {
  const refusals = ['one', 'two'].map((message) => ({ ...about, reason: 'InvalidValue' as const, message }))
  expect(componentState({}, { ...clean, refusals }, at)).toMatchObject({
    result: 'Invalid',
    errorSummary: 'one\ntwo',
    conditions: [
      { type: 'configReconcilerValid', status: 'False', reason: 'ConfigurationError', message: 'one\ntwo' },
    ],
  })
})

test('which configuration rules is said where there could be a doubt', () => {
  const source = (state: Partial<typeof clean> | object) =>
    componentState({}, { ...clean, ...state }, at).conditions.at(-1)
  expect(source({})).toMatchObject({ type: 'configReconcilerValid' })
  expect(source({ source: 'configMap' })).toMatchObject({
    type: 'configurationSource',
    reason: 'ConfigMap',
    message: 'ConfigMap x/config rules, since there is no usable IPAddressPool',
  })
  expect(source({ both: true })).toMatchObject({ type: 'configurationSource', reason: 'Objects' })
})
