/** Who wrote which field is near half of an object, and none of its readers: it is passed over, and not parsed. */

const start = Buffer.from('"managedFields":[')
const [quote, escape, open, close] = [0x22, 0x5c, 0x5b, 0x5d]

/** @param json one or many objects @returns the same with `managedFields: []` in each */
export function withoutManagedFields(json: Buffer): string {
  let text = ''
  let end = 0
  for (;;) {
    const at = json.indexOf(start, end)
    if (at < 0) return text + json.toString('utf8', end)
    const from = at + start.length
    text += json.toString('utf8', end, from)
    end = endOfArray(json, from)
  }
}

/** @param from behind its bracket @returns where the bracket is that closes it */
function endOfArray(json: Buffer, from: number): number {
  let end = from
  for (let depth = 1; end < json.length; end++) {
    const byte = json[end]
    if (byte === quote) end = endOfString(json, end)
    else if (byte === open) depth++
    else if (byte === close && --depth === 0) break
  }
  return end
}

/** @param from where the quote is that opens it @returns where the one is that closes it */
function endOfString(json: Buffer, from: number): number {
  let end = from + 1
  while (end < json.length && json[end] !== quote) end += json[end] === escape ? 2 : 1
  return end
}
