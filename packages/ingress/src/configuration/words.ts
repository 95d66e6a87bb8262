/** Words that Envoy knows: cipher suites, curves; and what a header may be called. */
import { hasControl } from '../dag/policies/control-characters.ts'
import { choice, isRecord, list, type Reader } from './readers.ts'

export const cipherSuites: Reader<readonly string[]> = list(
  choice(
    '[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]',
    '[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-SHA',
    'ECDHE-RSA-AES128-SHA',
    'AES128-GCM-SHA256',
    'AES128-SHA',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-RSA-AES256-SHA',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'AES256-GCM-SHA384',
    'AES256-SHA',
  ),
)

export const curves: Reader<readonly string[]> = list(
  choice('X25519', 'P-256', 'P-384', 'P-521', 'X25519MLKEM768', 'MLKEM1024'),
)

const headerName = /^[A-Za-z0-9-]+$/

export function isHeaderName(value: string): boolean {
  return headerName.test(value)
}

const header: Reader<string> = (value, say) => {
  const isName = typeof value === 'string' && headerName.test(value)
  if (isName && value.toLowerCase() !== 'host') return value
  say(isName ? '"Host" cannot be changed for all routes' : `"${String(value)}" is no header name`)
  return undefined
}

export const headerNames: Reader<readonly string[]> = list(header)

/** Names and values; a control character in a value would take each listener with it. */
export const headers: Reader<Readonly<Record<string, string>>> = (value, say) => {
  if (!isRecord(value)) {
    say('must be a map of header names')
    return undefined
  }
  const read = Object.entries(value).map(([name, one]) => {
    const good = header(name, say) !== undefined
    const isText = typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean'
    const isPlain = isText && !hasControl(String(one))
    if (!isPlain) say(`the value of "${name}" must be a text without line breaks`)
    return good && isPlain ? ([name, String(one)] as const) : undefined
  })
  const good = read.filter((entry) => entry !== undefined)
  return good.length === read.length ? Object.fromEntries(good) : undefined
}
