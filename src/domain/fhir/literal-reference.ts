// Literal references as a resource or a search value writes them: `Type/id`, perhaps with a version, relative or below one of our
// own bases (spec §4.5). Logical identifiers, display texts, `#contained`, `urn:` and conditional references name nothing.

export interface LiteralReference {
  /** Empty for a relative reference; otherwise the base as written, without a slash at its end. */
  readonly base: string
  readonly type: string
  readonly id: string
}

const LITERAL =
  /^(?:(https?:\/\/[^\s?#]+)\/)?([A-Z][A-Za-z]{0,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

export function parseReference(text: string): LiteralReference | undefined {
  const match = LITERAL.exec(text)
  return match === null ? undefined : { base: match[1] ?? '', type: match[2]!, id: match[3]! }
}

/** Bases are compared as written: `https://a.example/fhir` and `https://A.example/fhir` are two. */
export function isOwn({ base }: LiteralReference, ownBases: readonly string[]): boolean {
  return base === '' || ownBases.includes(base)
}
