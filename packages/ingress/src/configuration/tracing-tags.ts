/** `tracing.customTags`, and shares of requests in percent. */
import type { TracingTag } from '../dag/options.ts'
import { full, list, type Reader, shaped } from './readers.ts'
import { isHeaderName } from './words.ts'

const oneTag = shaped({ tagName: full, literal: full, requestHeaderName: full })

const tag: Reader<TracingTag> = (value, say) => {
  const read = oneTag(value, say)
  if (read === undefined) return undefined
  const { tagName, literal, requestHeaderName } = read
  if (tagName === undefined) say('tagName: is needed')
  else if ((literal === undefined) === (requestHeaderName === undefined))
    say('exactly one of literal and requestHeaderName must be given')
  else if (literal !== undefined) return { tagName, literal }
  else if (requestHeaderName !== undefined && isHeaderName(requestHeaderName))
    return { tagName, requestHeaderName }
  else say(`requestHeaderName: "${requestHeaderName}" is no header name`)
  return undefined
}

const tags = list(tag)

export const customTags: Reader<readonly TracingTag[]> = (value, say) => {
  const read = tags(value, say)
  const names = read?.map(({ tagName }) => tagName) ?? []
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  for (const name of twice) say(`tag "${name}" is given twice`)
  return twice.size > 0 ? undefined : read
}

/** 0 to 100, as a number or, as Contour has it, as a text. */
export const percent: Reader<number> = (value, say) => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof read === 'number' && read >= 0 && read <= 100) return read
  say(`"${String(value)}" is no percentage, 0 to 100`)
  return undefined
}
