/** Access from inside a pod, by its service account. The token and the CA rotate, so both are read again. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Access, TlsMaterial } from './access.ts'

export interface PodAccessOptions {
  readonly host: string
  readonly port: string
  /** Where the service account is mounted. */
  readonly folder?: string
}

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'
const tokenLifeMs = 30_000

export function podAccess(o: PodAccessOptions): Access {
  const folder = o.folder ?? accountFolder
  const namespace = join(folder, 'namespace')
  let token = { value: '', readAt: Number.NEGATIVE_INFINITY }
  return {
    server: new URL(`https://${o.host.includes(':') ? `[${o.host}]` : o.host}:${o.port}`),
    namespace: existsSync(namespace) ? readFileSync(namespace, 'utf8').trim() : '',
    tls: watchedFile(join(folder, 'ca.crt'), (text): TlsMaterial => ({ ca: text })),
    headers: async () => {
      if (performance.now() - token.readAt > tokenLifeMs) {
        token = { value: readFileSync(join(folder, 'token'), 'utf8').trim(), readAt: performance.now() }
      }
      return { authorization: `Bearer ${token.value}` }
    },
    refused: () => {
      token = { ...token, readAt: Number.NEGATIVE_INFINITY }
    },
  }
}

/** Reads a file again when its modification time changed; the value changes only with the text. */
function watchedFile<T>(path: string, read: (text: string) => T): () => T {
  let seen: { readonly mtime: number; readonly text: string; readonly value: T } | undefined
  return () => {
    const mtime = statSync(path).mtimeMs
    if (seen === undefined || seen.mtime !== mtime) {
      const text = readFileSync(path, 'utf8')
      seen = { mtime, text, value: seen?.text === text ? seen.value : read(text) }
    }
    return seen.value
  }
}
