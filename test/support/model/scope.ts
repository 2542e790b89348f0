// What a granted scope says, read a second time and slowly from spec §1.1–§1.3; shares no code with src/.

export interface ModelScope {
  readonly context: 'patient' | 'user' | 'system'
  readonly type: string
  readonly letters: string
  /** An AND of `name=value`. */
  readonly filters: readonly { readonly name: string; readonly value: string }[]
}

/** Undefined for what grants nothing on FHIR resources. */
export function readScope(text: string): ModelScope | undefined {
  const cut = text.indexOf('?')
  const head = cut === -1 ? text : text.slice(0, cut)
  const [context, rest, ...tooMuch] = head.split('/')
  if (rest === undefined || tooMuch.length > 0) return undefined
  if (context !== 'patient' && context !== 'user' && context !== 'system') return undefined
  const [type, word, ...more] = rest.split('.')
  if (type === undefined || word === undefined || more.length > 0) return undefined
  if (type !== '*' && !/^[A-Z][A-Za-z]+$/.test(type)) return undefined
  const letters = lettersOf(word)
  if (letters === undefined) return undefined
  if (cut === -1) return { context, type, letters, filters: [] }
  // A v1 word with a filter is defined by no version of SMART.
  if (word === 'read' || word === 'write' || word === '*') return undefined
  const filters: { name: string; value: string }[] = []
  for (const part of text.slice(cut + 1).split('&')) {
    const equals = part.indexOf('=')
    if (equals < 1 || equals === part.length - 1) return undefined
    const name = decodeURIComponent(part.slice(0, equals))
    const value = decodeURIComponent(part.slice(equals + 1))
    if (part.slice(equals + 1).includes('=')) return undefined
    // A modifier or a chain, and what is no criterion but shapes the answer.
    if (/[:.]/.test(name) || SHAPING.has(name)) return undefined
    filters.push({ name, value })
  }
  return { context, type, letters, filters }
}

const SHAPING = new Set([
  '_has',
  '_include',
  '_revinclude',
  '_sort',
  '_count',
  '_summary',
  '_elements',
  '_list',
  '_filter',
  '_query',
  '_contained',
])

function lettersOf(word: string): string | undefined {
  if (word === 'read') return 'rs'
  if (word === 'write') return 'cud'
  if (word === '*') return 'cruds'
  return /^(?=.)c?r?u?d?s?$/.test(word) ? word : undefined
}
