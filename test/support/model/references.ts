// Literal references, read by cutting at slashes (spec §4.5).

export interface ModelReference {
  /** '' for a relative one. */
  readonly base: string
  readonly type: string
  readonly id: string
}

const LETTERS = /^[A-Za-z]+$/
const ID = /^[A-Za-z0-9.-]+$/

export function readReference(text: unknown): ModelReference | undefined {
  if (typeof text !== 'string' || /[\s?#]/.test(text)) return undefined
  const parts = text.split('/')
  if (parts.length >= 4 && parts.at(-2) === '_history') {
    const version = parts.pop()!
    parts.pop()
    if (!ID.test(version) || version.length > 64) return undefined
  }
  const id = parts.pop()!
  const type = parts.pop()
  if (type === undefined || !LETTERS.test(type) || type[0] !== type[0]!.toUpperCase() || !ID.test(id) || id.length > 64)
    return undefined
  const base = parts.join('/')
  if (base === '') return parts.length === 0 ? { base, type, id } : undefined
  return base.startsWith('http://') || base.startsWith('https://') ? { base, type, id } : undefined
}

export function isOurs({ base }: ModelReference, ownBases: readonly string[]): boolean {
  return base === '' || ownBases.some((own) => own === base)
}
