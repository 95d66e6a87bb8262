/** True for a text that Envoy takes in no header value or path: control characters but the tab. */
export function hasControl(text: string): boolean {
  return /(?!\t)\p{Cc}/u.test(text)
}
