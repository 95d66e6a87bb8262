/**
 * Where strings, comments, heredocs and brackets of HCL end (HCL native syntax specification, "Lexical Elements"). For
 * text that is known to be well formed: what is not ends at the end of the text.
 */

const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy
const heredocStart = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)[^\n]*\n/uy
const lineComment = /(#|\/\/)[^\n]*/y
const blockComment = /\/\*[^]*?\*\//y
const openers = '([{'
const closers = ')]}'

export function identifierAt(text: string, index: number): string | undefined {
  return matchAt(identifier, text, index)?.[0]
}

/** The first character that is no blank, no comment and, unless `lines` is false, no end of line. */
export function skipBlank(text: string, index: number, lines = true): number {
  for (let at = index; ; ) {
    const character = text[at]
    const comment = commentAt(text, at)
    if (comment > 0 && (lines || text[at + 1] === '*')) at += comment
    else if (character === ' ' || character === '\t' || character === '\r') at++
    else if (character === '\n' && lines) at++
    else return at
  }
}

/** The end of the expression that begins here: a line's end or a closing bracket of what holds it. */
export function endOfExpression(text: string, index: number): number {
  let depth = 0
  for (let at = index; at < text.length; ) {
    const character = text[at] ?? ''
    const comment = commentAt(text, at)
    const isEnd = character === '\n' || (comment > 0 && text[at + 1] !== '*') || closers.includes(character)
    if (depth === 0 && isEnd) return at
    if (openers.includes(character)) depth++
    if (closers.includes(character)) depth--
    at = comment > 0 ? at + comment : endOfToken(text, at)
  }
  return text.length
}

/** After a quoted template, from the quote that opens it. */
export function endOfString(text: string, index: number): number {
  for (let at = index + 1; at < text.length; ) {
    if (text[at] === '"') return at + 1
    if (text[at] === '\\') at += 2
    else if (text.startsWith('$${', at) || text.startsWith('%%{', at)) at += 3
    else if (text.startsWith('${', at) || text.startsWith('%{', at)) at = endOfInterpolation(text, at + 2)
    else at++
  }
  return text.length
}

function endOfInterpolation(text: string, index: number): number {
  let depth = 1
  for (let at = index; at < text.length; ) {
    if (text[at] === '{') depth++
    if (text[at] === '}' && --depth === 0) return at + 1
    at = commentAt(text, at) > 0 ? at + commentAt(text, at) : endOfToken(text, at)
  }
  return text.length
}

/** A string, a heredoc, or one character. */
function endOfToken(text: string, index: number): number {
  if (text[index] === '"') return endOfString(text, index)
  const [opening, word] = matchAt(heredocStart, text, index) ?? []
  if (opening === undefined || word === undefined) return index + 1
  for (let at = index + opening.length; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at)
    const line = text.slice(at, lineEnd < 0 ? text.length : lineEnd)
    if (line.trim() === word) return at + line.trimEnd().length
    if (lineEnd < 0) return text.length
    at = lineEnd + 1
  }
  return text.length
}

/** The length of the comment that begins here; 0 when none does. */
function commentAt(text: string, index: number): number {
  return (matchAt(lineComment, text, index) ?? matchAt(blockComment, text, index))?.[0].length ?? 0
}

function matchAt(pattern: RegExp, text: string, index: number): RegExpExecArray | undefined {
  pattern.lastIndex = index
  return pattern.exec(text) ?? undefined
}
