/**
 * Fields that Envoy knows and the protos of the npm package do not yet, as additions to their text:
 * each is inserted right after the first occurrence of `after`, behind the start of `message`.
 */
export interface Patch {
  readonly file: string
  readonly message: string
  readonly after: string
  readonly insert: string
}

const extensions = 'envoy/extensions'

export const patches: readonly Patch[] = [
  {
    file: 'validate/validate.proto',
    message: 'message StringRules {',
    after: 'optional bool strict = 25 [default = true];',
    insert: 'optional bool ignore_empty = 26;',
  },
  {
    file: `${extensions}/transport_sockets/tls/v3/tls.proto`,
    message: 'message CommonTlsContext {',
    after: 'TlsKeyLog key_log = 15;',
    insert: 'config.core.v3.TypedExtensionConfig custom_tls_certificate_selector = 16;',
  },
  {
    file: `${extensions}/filters/listener/tls_inspector/v3/tls_inspector.proto`,
    message: 'message TlsInspector {',
    after: 'google.protobuf.BoolValue enable_ja3_fingerprinting = 1;',
    insert: 'google.protobuf.BoolValue enable_ja4_fingerprinting = 3;',
  },
]

/** The text with the patch in it. Throws when its place is gone or the field is already there. */
export function applyPatch(text: string, patch: Patch): string {
  const start = text.indexOf(patch.message)
  const at = start < 0 ? -1 : text.indexOf(patch.after, start)
  if (at < 0) throw new Error(`${patch.file}: no place for '${patch.insert}'`)
  if (text.includes(patch.insert)) throw new Error(`${patch.file}: already has '${patch.insert}'`)
  const end = at + patch.after.length
  return `${text.slice(0, end)}\n  ${patch.insert}${text.slice(end)}`
}
