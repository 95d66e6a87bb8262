import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { makeSummary, Summary } from './summary.ts'

const lines = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name))

test('a summary is shown with quantiles, sum and count, for each set of labels', async () => {
  const metrics = new Metrics('test')
  const plain = makeSummary(metrics, 'plain_seconds', 'Without labels.')
  const labelled = makeSummary(metrics, 'labelled_seconds', 'With one.', ['kind'])
  for (let value = 1; value <= 100; value++) plain.observe(value)
  labelled.observe(2, { kind: 'a' })
  labelled.observe(4, { kind: 'b' })
  const text = await metrics.exposition()
  expect(text).toContain('# TYPE plain_seconds summary')
  expect(lines(text, 'plain_seconds')).toEqual([
    'plain_seconds{quantile="0.5"} 51',
    'plain_seconds{quantile="0.9"} 91',
    'plain_seconds{quantile="0.99"} 100',
    'plain_seconds_sum 5050',
    'plain_seconds_count 100',
  ])
  expect(lines(text, 'labelled_seconds_sum')).toEqual([
    'labelled_seconds_sum{kind="a"} 2',
    'labelled_seconds_sum{kind="b"} 4',
  ])
})

test('quantiles forget what is old or more than the newest 500; sum and count do not', async () => {
  let now = 0
  const summary = new Summary('s', 'h', [], () => now)
  const shown = async () => (await summary.get()).values.map(({ value }) => value)
  expect(await shown()).toEqual([0, 0, 0, 0, 0])
  for (let n = 0; n < 500; n++) summary.observe(7)
  for (let n = 0; n < 300; n++) summary.observe(1)
  expect(await shown()).toEqual([1, 7, 7, 3800, 800])
  now = 599_999
  for (let n = 0; n < 2; n++) summary.observe(9)
  now = 600_000
  expect(await shown()).toEqual([9, 9, 9, 3818, 802])
})
