/** Files and folders → the objects and configurations that are written in them. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RawObject } from '@landfall/kube'
import { parseAllDocuments } from 'yaml'
import { isRecord } from '../configuration/readers.ts'
import { said } from '../configuration/yaml.ts'

export type Document =
  | { readonly kind: 'object'; readonly file: string; readonly object: RawObject }
  /** A document without `kind`: `contour.yaml`. */
  | { readonly kind: 'configuration'; readonly file: string; readonly text: string }
  | { readonly kind: 'unreadable'; readonly file: string; readonly message: string }

/** @param path a file, a folder with all below it, or `-` for standard input @throws when it cannot be read */
export async function readDocuments(path: string): Promise<readonly Document[]> {
  if (path === '-') return documentsOf('-', await readStandardInput())
  if (!(await stat(path)).isDirectory()) return documentsOf(path, await readFile(path, 'utf8'))
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  const read = await Promise.all(files.map(async (file) => documentsOf(file, await readFile(file, 'utf8'))))
  return read.flat()
}

export function documentsOf(file: string, text: string): readonly Document[] {
  return parseAllDocuments(text, { prettyErrors: false }).flatMap((document): readonly Document[] => {
    const read = said(document)
    if (read.kind === 'unreadable') return [{ kind: 'unreadable', file, message: read.message }]
    const { value } = read
    if (value === null) return []
    if (isRecord(value) && value['kind'] === undefined) {
      return [{ kind: 'configuration', file, text: document.toString() }]
    }
    return objectsOf(file, value)
  })
}

function objectsOf(file: string, value: unknown): readonly Document[] {
  if (isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items'])) {
    return value['items'].flatMap((item: unknown) => objectsOf(file, item))
  }
  if (isObject(value)) return [{ kind: 'object', file, object: value }]
  return [{ kind: 'unreadable', file, message: 'is no object with apiVersion, kind and metadata.name' }]
}

function isObject(value: unknown): value is RawObject {
  return (
    isRecord(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isRecord(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  )
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
