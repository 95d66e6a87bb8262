/** All regular expressions of an HTTPProxy's routes and includes together: small ones, repeated by a number, become large. */
import type { HTTPProxy } from '@landfall/api'
import { error, type Problem } from './problem.ts'
import { mostUnits, unitsOf } from './regex.ts'

type Spec = HTTPProxy['spec']

/** A few of the largest, or thousands as people write them. */
const mostRepeats = 250_000

export function regexProblems(spec: Spec): readonly Problem[] {
  if (repeatsOf(spec) <= mostRepeats) return []
  const message = `spec: its regular expressions repeat more than ${mostRepeats} characters by a number, as {1000} does`
  return [error('SpecError', 'RegexesTooLarge', message)]
}

export function sizeOf(spec: Spec): number {
  return sum(textsOf(spec).map(unitsOf))
}

/** Beyond what is written. */
export function repeatsOf(spec: Spec): number {
  return sum(textsOf(spec).map((text) => Math.max(0, unitsOf(text) - text.length)))
}

/** Those that are compiled. */
function textsOf({ routes = [], includes = [] }: Spec): readonly string[] {
  const parts = routes.flatMap((route) => [route.conditions, route.rateLimitPolicy])
  const texts = [...parts, ...includes.map(({ conditions }) => conditions)].flatMap(below)
  return texts.filter((text) => unitsOf(text) <= mostUnits)
}

/** What stands under the name `regex`. */
function below(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'regex' && typeof inner === 'string' ? inner : below(inner),
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
