/** Where the API server is and how to be let in. */

export interface TlsMaterial {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
}

export interface Access {
  readonly server: URL
  /** The namespace that the credentials belong to; '' when they belong to none. */
  readonly namespace: string
  /** The same object as long as nothing changed. */
  tls(): TlsMaterial
  /** Headers that authenticate a request. */
  headers(): Promise<Readonly<Record<string, string>>>
  /** The server did not know who we are: what is kept of the credentials is read again. */
  refused(): void
}
