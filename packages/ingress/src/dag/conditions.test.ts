import { describe, expect, it } from 'vitest'
import { mergeConditions } from './conditions.ts'

/** The path of a route under includes of these prefixes. */
function pathUnder(
  prefixes: readonly string[],
  condition: { prefix?: string; exact?: string; regex?: string },
) {
  return mergeConditions([...prefixes.map((prefix) => [{ prefix }]), [condition]]).path
}

describe('a path under includes', () => {
  it('is joined, with one slash between', () => {
    expect(pathUnder(['/a/', '/b'], { prefix: '/c' })).toEqual({ kind: 'prefix', value: '/a/b/c' })
    expect(pathUnder(['/a.b'], { exact: '/c' })).toEqual({ kind: 'exact', value: '/a.b/c' })
    expect(pathUnder([], { regex: '/x|/y' })).toEqual({ kind: 'regex', value: '/x|/y' })
    expect(pathUnder(['/'], { regex: '/x' })).toEqual({ kind: 'regex', value: '/x' })
  })

  it.each([
    ['/x|/.*', '/team', ['/team/x', '/team/anything'], ['/x', '/', '/other', '/teamster']],
    ['/(a|b)+', '/team/', ['/team/a', '/team/bb'], ['/a', '/team/c']],
    ['/c', '/a.b+(', ['/a.b+(/c'], ['/axb+(/c', '/c']],
  ])('of the regular expression %s stays below %s', (regex, prefix, within, without) => {
    const { kind, value } = pathUnder([prefix], { regex })
    expect(kind).toBe('regex')
    const whole = new RegExp(`^(?:${value})$`)
    expect(within.filter((path) => !whole.test(path))).toEqual([])
    expect(without.filter((path) => whole.test(path))).toEqual([])
  })
})
