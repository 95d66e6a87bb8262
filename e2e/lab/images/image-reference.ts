// Image references: `[registry/]repository[:tag][@digest]`.

export interface ImageReference {
  /** Without registry and without Docker Hub's `library/`. */
  readonly repository: string
  readonly registry: string | undefined
  readonly tag: string | undefined
  readonly digest: string | undefined
}

/** The first component is a registry when it has a dot or a port, or is `localhost`. */
export function parseImageReference(text: string): ImageReference {
  const [named = '', digest] = text.split('@', 2)
  const slash = named.indexOf('/')
  const first = slash < 0 ? '' : named.slice(0, slash)
  const hasRegistry = first === 'localhost' || /[.:]/.test(first)
  const path = hasRegistry ? named.slice(slash + 1) : named
  const colon = path.lastIndexOf(':')
  const name = colon < 0 ? path : path.slice(0, colon)
  return {
    repository: name.replace(/^library\//, ''),
    registry: hasRegistry ? first : undefined,
    tag: colon < 0 ? undefined : path.slice(colon + 1),
    digest,
  }
}

/** The keys under which a map may know this image, the most exact first. */
export function imageKeys(text: string): readonly string[] {
  const { repository, registry, tag } = parseImageReference(text)
  const names = registry === undefined ? [repository] : [`${registry}/${repository}`, repository]
  return [...names.flatMap((name) => (tag === undefined ? [] : [`${name}:${tag}`])), ...names]
}
