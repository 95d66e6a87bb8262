/** What an Envoy says of a secret, without what it may cite of it: the words go to logs, statuses and Events. */

const omitted = '(left out)'
/** Up to its end, or to where the words break off. */
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
/** Lines of base64; their ends may be spelled out. */
const encoded = /[A-Za-z0-9+/=]{40,}(?:(?:\\+[nr]|[\r\n])+[A-Za-z0-9+/=]+)*/g

export function withoutKeys(words: string): string {
  return words.replace(privateKey, omitted).replace(encoded, omitted)
}
