/** Rewriting of headers and cookies. */
import { array, boolean, flag, list, object, oneOf, optional, type Shape, text } from '../schema/build.ts'

export const headerValue = object({
  name: text('Header name.', { minLength: 1 }),
  value: text('Header value.', { minLength: 1 }),
})

export const headersPolicy = object({
  set: optional(list(headerValue, 'Headers to set; a header that is there already is replaced.')),
  remove: optional(list(text('Header name.'), 'Headers to remove.')),
})
export type HeadersPolicy = Shape<typeof headersPolicy>

export const cookieRewritePolicy = object({
  name: text('Cookie name.', {
    minLength: 1,
    maxLength: 4096,
    pattern:
      '^[^()<>@,;:\\\\"\\/[\\]?={} \\t\\x7f\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x09\\x0A\\x0B\\x0C\\x0D\\x0E\\x0F\\x10\\x11\\x12\\x13\\x14\\x15\\x16\\x17\\x18\\x19\\x1A\\x1B\\x1C\\x1D\\x1E\\x1F]+$',
  }),
  pathRewrite: optional(
    object({
      value: text('New Path attribute.', {
        minLength: 1,
        maxLength: 4096,
        pattern: '^[^;\\x7f\\x00-\\x1f]+$',
      }),
    }),
  ),
  domainRewrite: optional(
    object({
      value: text('New Domain attribute.', {
        minLength: 1,
        maxLength: 4096,
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
      }),
    }),
  ),
  secure: optional(boolean({ description: 'Set or clear the Secure attribute.' })),
  sameSite: optional(oneOf(['Strict', 'Lax', 'None'])),
})
export type CookieRewritePolicy = Shape<typeof cookieRewritePolicy>

export const cookieRewritePolicies = array(cookieRewritePolicy)

/** The client's certificate in the x-forwarded-client-cert header. */
export const clientCertificateDetails = object({
  subject: optional(flag('Subject of the certificate.')),
  cert: optional(flag('The certificate, URL-encoded PEM.')),
  chain: optional(flag('The whole chain, URL-encoded PEM.')),
  dns: optional(flag('DNS names of the certificate.')),
  uri: optional(flag('URI of the certificate.')),
})
