import { expect, test } from 'vitest'
import { samplesOf } from './samples.ts'

test('names, labels and values; comments and what is no sample are left out', () => {
  const text = [
    '# HELP a_total of a',
    '# TYPE a_total counter',
    'a_total 3',
    String.raw`b:up{peer="[2001:db8::1]:179",said="\"no\", {and}\n\\"} 1e+03 1700000000`,
    'c{} NaN',
    '',
    '404 page not found',
  ].join('\n')
  expect(samplesOf(text)).toEqual([
    { name: 'a_total', labels: {}, value: 3 },
    { name: 'b:up', labels: { peer: '[2001:db8::1]:179', said: '"no", {and}\n\\' }, value: 1000 },
    { name: 'c', labels: {}, value: Number.NaN },
  ])
})
