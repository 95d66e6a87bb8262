/** What Envoy takes as name and value of a header that it sets (envoy.config.core.v3.HeaderValue), and as names elsewhere. */
import { hasControl } from './control-characters.ts'

/** Of the name and of the value of a header, in bytes. */
const longestHeader = 16_384
/** Of a name that is asked for in a TLS handshake, in bytes. */
const longestServerName = 255
/** Of the name of a query parameter, in bytes. */
const longestParameter = 1024

const encoder = new TextEncoder()

function isLonger(text: string, most: number): boolean {
  return text.length > most || (text.length * 3 > most && encoder.encode(text).length > most)
}

/** What is wrong with a name; undefined: nothing. */
export function headerNameProblem(name: string): string | undefined {
  if (!/^[A-Za-z0-9-]+$/.test(name)) return `"${name}" is no header name`
  return isLonger(name, longestHeader) ? `longer than ${longestHeader} bytes` : undefined
}

/** @param value as Envoy gets it */
export function headerValueProblem(value: string): string | undefined {
  if (hasControl(value)) return 'a header value has no line breaks or control characters'
  return isLonger(value, longestHeader) ? `longer than ${longestHeader} bytes` : undefined
}

export function isServerName(name: string): boolean {
  return !isLonger(name, longestServerName)
}

export function isParameterName(name: string): boolean {
  return !isLonger(name, longestParameter)
}
