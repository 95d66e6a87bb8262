/**
 * The metrics that a PromQL expression names, by its words: what is no function, no keyword, and neither in a matcher, in
 * a text, in a range nor among the labels of `by`, `on` and the like.
 */
const keywords = new Set(
  'and or unless bool offset by without on ignoring group_left group_right inf nan atan2 start end'.split(
    ' ',
  ),
)
const texts = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g
const ignored = /\{[^{}]*\}|\[[^\][]*\]/g
const labelLists = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)/g
const words = /(?<![0-9a-zA-Z_:])[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g

/** In alphabetical order, each once. */
export function metricNames(expr: string): readonly string[] {
  const bare = expr.replaceAll(texts, '').replaceAll(ignored, ' ').replaceAll(labelLists, ' ')
  const found = bare.match(words) ?? []
  return [...new Set(found.filter((word) => !keywords.has(word.toLowerCase())))].toSorted()
}
