// The little of the SMART scope grammar that the route map itself is checked by; what a scope then means is the domain's to say.
// A worth is `context/Type.letters` with an optional granular query; a requirement is the same without a context.
const LETTERS = 'read|write|\\*|(?=[cruds])c?r?u?d?s?'
const WORTH = new RegExp(`^(patient|user|system)/(\\*|[A-Z][A-Za-z]+)\\.(${LETTERS})(\\?\\S+)?$`)
const REQUIREMENT = new RegExp(`^(\\*|[A-Z][A-Za-z]+|\\{type\\})\\.(${LETTERS})$`)

const V1_LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }

export interface TypeAccess {
  /** A resource type, `*`, or `{type}` for the type in the URL. */
  readonly type: string
  /** In the order `cruds`. */
  readonly letters: string
}

/** SMART scopes, separated by spaces; `undefined` when one of them is malformed. */
export function parseWorths(text: string): readonly string[] | undefined {
  const scopes = text.split(' ')
  return scopes.every((scope) => WORTH.test(scope)) ? scopes : undefined
}

export function parseTypeAccess(text: string): TypeAccess | undefined {
  const [, type, letters] = REQUIREMENT.exec(text) ?? []
  return type && letters ? { type, letters: V1_LETTERS[letters] ?? letters } : undefined
}

/** A SMART scope with its letters spelled out; any other scope as it is. */
export function meaningOf(scope: string): string {
  const [, context, type, letters = '', query = ''] = WORTH.exec(scope) ?? []
  return context ? `${context}/${type}.${V1_LETTERS[letters] ?? letters}${query}` : scope
}
