/** Which node owns each address (pure): the first of its candidates whose speaker serves. */
export interface OwnedAddress {
  readonly ip: string
  /** Node names in order of preference. */
  readonly candidates: readonly string[]
  /** Interface names; empty: all. */
  readonly interfaces: readonly string[]
}

/** undefined: none of the candidates serves. */
export function ownerOf(address: OwnedAddress, serving: ReadonlySet<string>): string | undefined {
  return address.candidates.find((node) => serving.has(node))
}
