/**
 * The server's certificate from files, read again when they change. The three files of a Secret volume change one
 * after the other or by a symlink swap; a set that does not fit together is not taken, and the last good one stays.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { experimental } from '@grpc/grpc-js'
import type { Logger } from '@landfall/telemetry'

export interface TlsFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

type Provider = experimental.CertificateProvider
type CaListener = Parameters<Provider['addCaCertificateListener']>[0]
type IdentityListener = Parameters<Provider['addIdentityCertificateListener']>[0]

interface Material {
  readonly notAfter: Date
  readonly ca: Buffer
  readonly certificate: Buffer
  readonly key: Buffer
}

const pollMs = 2000

/** Throws, naming the file, when the three do not fit together. */
export async function readMaterial(files: TlsFiles): Promise<Material> {
  const [ca, certificate, key] = await Promise.all([
    readFile(files.ca),
    readFile(files.certificate),
    readFile(files.key),
  ])
  parsed(files.ca, () => new X509Certificate(ca))
  const leaf = parsed(files.certificate, () => new X509Certificate(certificate))
  const secret = parsed(files.key, () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(secret)) throw new Error(`${files.key} is not the key of ${files.certificate}`)
  return { ca, certificate, key, notAfter: leaf.validToDate }
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new Error(`${file} cannot be read as PEM`, { cause })
  }
}

export class FileCertificates implements Provider {
  readonly #files: TlsFiles
  readonly #logger: Logger
  readonly #onTaken: (notAfter: Date) => void
  readonly #caListeners = new Set<CaListener>()
  readonly #identityListeners = new Set<IdentityListener>()
  #material: Material | undefined
  #timer: NodeJS.Timeout | undefined
  #problem = ''

  /** @param onTaken told when the certificate now shown ends */
  constructor(files: TlsFiles, logger: Logger, onTaken: (notAfter: Date) => void = () => {}) {
    this.#onTaken = onTaken
    this.#files = files
    this.#logger = logger
  }

  /** Rejects when the files are not usable at the start. */
  async start(): Promise<void> {
    this.#take(await readMaterial(this.#files))
    this.#timer = setInterval(() => void this.reload(), pollMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Reads the files again; a bad set changes nothing and is logged once. */
  async reload(): Promise<'unchanged' | 'reloaded' | 'refused'> {
    try {
      const material = await readMaterial(this.#files)
      this.#problem = ''
      const before = this.#material
      if (before !== undefined && same(before, material)) return 'unchanged'
      this.#take(material)
      this.#logger.info('certificateReloaded', { certificate: this.#files.certificate })
      return 'reloaded'
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== this.#problem) this.#logger.warn('certificateRefused', { problem })
      this.#problem = problem
      return 'refused'
    }
  }

  #take(material: Material): void {
    this.#material = material
    this.#onTaken(material.notAfter)
    for (const listener of this.#caListeners) listener({ caCertificate: material.ca })
    for (const listener of this.#identityListeners) {
      listener({ certificate: material.certificate, privateKey: material.key })
    }
  }

  /** A new listener hears afterwards, not during the call: only then does grpc-js pass it on to the socket. */
  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener)
    queueMicrotask(() => {
      if (this.#material !== undefined) listener({ caCertificate: this.#material.ca })
    })
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener)
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener)
    queueMicrotask(() => {
      if (this.#material === undefined) return
      listener({ certificate: this.#material.certificate, privateKey: this.#material.key })
    })
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener)
  }
}

function same(a: Material, b: Material): boolean {
  return a.ca.equals(b.ca) && a.certificate.equals(b.certificate) && a.key.equals(b.key)
}
