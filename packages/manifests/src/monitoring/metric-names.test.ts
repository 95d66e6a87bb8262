import { expect, it } from 'vitest'
import { metricNames } from './metric-names.ts'

it.each([
  ['up', ['up']],
  ['a_total{pod="b", c=~"d|e"} == bool 1', ['a_total']],
  ['sum by (pod, le) (rate(a_bucket{x="y}"}[5m] offset 1h)) / on (pod) group_left (z) b', ['a_bucket', 'b']],
  ['histogram_quantile(0.99, sum without (pod) (a[$__rate_interval])) or vector(0)', ['a']],
  ['100 * a / (a > 0) unless b', ['a', 'b']],
  ['sum(a) by (pod)', ['a']],
  ['(a - time()) / 86400', ['a']],
  ['label_replace(a, "b", "$1", "c", "(d)")', ['a']],
])('finds what %s names', (expr, names) => expect(metricNames(expr)).toEqual(names))
