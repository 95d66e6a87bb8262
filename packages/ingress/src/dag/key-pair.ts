/**
 * A TLS Secret → a key pair that Envoy takes, or what is wrong with it, naming the Secret and the key of its
 * data. Checks what Envoy checks when it loads the pair: both parse, belong together and use a supported
 * algorithm (RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521).
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { keyOf, type Secret } from '@landfall/kube/model'
import { pemBlocks } from './pem.ts'
import type { KeyPair } from './virtual-host.ts'

type KeyObject = X509Certificate['publicKey']

export type KeyPairResult =
  | { readonly ok: true; readonly keyPair: KeyPair }
  | { readonly ok: false; readonly why: string }

const certificateKey = 'tls.crt'
const privateKeyKey = 'tls.key'
const curves = ['prime256v1', 'secp384r1', 'secp521r1']

export function readKeyPair(secret: Secret): KeyPairResult {
  const key = keyOf(secret.meta)
  const no = (why: string): KeyPairResult => ({ ok: false, why: `Secret "${key}": ${why}` })
  if (secret.type !== 'kubernetes.io/tls' && secret.type !== 'Opaque' && secret.type !== '') {
    return no(`type "${secret.type}" is not a TLS Secret; use "kubernetes.io/tls" or "Opaque"`)
  }
  const certificates = secret.data[certificateKey]
  const privateKey = secret.data[privateKeyKey]
  const missing = [certificateKey, privateKeyKey].filter((name) => (secret.data[name]?.length ?? 0) === 0)
  if (certificates === undefined || privateKey === undefined || missing.length > 0) {
    return no(missing.map((name) => `key "${name}" is missing or empty`).join(', '))
  }
  const leaf = readCertificates(certificates)
  if (typeof leaf === 'string') return no(`key "${certificateKey}": ${leaf}`)
  const own = readPrivateKey(privateKey)
  if (typeof own === 'string') return no(`key "${privateKeyKey}": ${own}`)
  if (!leaf.checkPrivateKey(own)) return no(`"${privateKeyKey}" is not the key of "${certificateKey}"`)
  return { ok: true, keyPair: { secret: key, certificates, key: privateKey, names: namesOf(leaf) } }
}

function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(/(?:^|, )DNS:([^,]+)/g)].map(([, name = '']) => name.toLowerCase())
}

/** The leaf, or what is wrong. Every block is read: X509Certificate itself looks at the first only. */
function readCertificates(pem: Uint8Array): X509Certificate | string {
  const blocks = pemBlocks(pem)
  if (blocks.length === 0) return 'no PEM block'
  const foreign = blocks.find((block) => block.label !== 'CERTIFICATE')
  if (foreign !== undefined) return `unexpected PEM block "${foreign.label}"`
  const parsed: X509Certificate[] = []
  for (const [index, block] of blocks.entries()) {
    try {
      parsed.push(new X509Certificate(block.text))
    } catch {
      return `certificate ${index + 1} cannot be parsed`
    }
  }
  const leaf = parsed[0]
  if (leaf === undefined) return 'no certificate'
  if (!/(^|\n)CN=/.test(leaf.subject) && leaf.subjectAltName === undefined) {
    return 'the certificate has neither a common name nor a subject alternative name'
  }
  return unsupported(leaf.publicKey) ?? leaf
}

function readPrivateKey(pem: Uint8Array): KeyObject | string {
  const blocks = pemBlocks(pem).filter((block) => block.label !== 'EC PARAMETERS')
  const keys = blocks.filter((block) => block.label.endsWith('PRIVATE KEY'))
  const only = keys[0]
  if (only === undefined) return 'no private key'
  if (keys.length !== 1 || blocks.length !== 1) return 'exactly one private key is expected'
  try {
    return createPrivateKey(only.text)
  } catch {
    return 'the private key cannot be parsed'
  }
}

function unsupported(key: KeyObject): string | undefined {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'rsa') {
    return (details?.modulusLength ?? 0) < 2048 ? 'RSA keys need 2048 bits or more' : undefined
  }
  if (key.asymmetricKeyType === 'ec') {
    return curves.includes(details?.namedCurve ?? '')
      ? undefined
      : 'ECDSA keys need curve P-256, P-384 or P-521'
  }
  return `keys of type ${key.asymmetricKeyType ?? 'unknown'} are not supported by Envoy`
}
