// What is wrong with a scope that neither the SMART grammar nor the catalogue knows, as exactly as can be told.

import type { Catalogue } from '../decision/policy.ts'
import { parseScope } from '../smart/scope.ts'

const MALFORMED: readonly (readonly [RegExp, string])[] = [
  [
    /^eyJ[\w-]*\.[\w-]+\./,
    'This looks like a token. Paste the value of its scope claim instead; nothing of it was kept.',
  ],
  [/^(?:Bearer|Authorization:?)$/i, 'This belongs to a header, not to a list of scopes.'],
  [/["\\]|[^\x21-\x7e]/, 'It holds a character that no scope can have.'],
  [/^(?:patient|user|system)\.|%2f/i, 'SMART writes a slash after the context, as in patient/Observation.rs.'],
  [/^(?:Patient|User|System)\//, 'The context is written in small letters: patient/, user/ or system/.'],
  [/\.(?:read|write|\*)\?/, 'A filter needs letters before it: .rs?category=… and not .read?category=….'],
  [
    /^(?:patient|user|system)\/[^.?]*(?:\?|$)/,
    'After the type, a SMART scope says what it allows: .rs, .cruds, .read or .write.',
  ],
  [/^(?:patient|user|system)\/[a-z]/, 'Resource types begin with a capital letter, as in Observation.'],
  [
    /^(?:patient|user|system)\/(?:\*|[A-Z][A-Za-z]*)\.(?!c?r?u?d?s?(?:\?|$))[cruds]+(?:\?|$)/,
    'Letters come once each and in the order c r u d s, as in .cruds or .rs.',
  ],
  [
    /\?(?:[^=&]*=[^&]*&)*[^=&]*[:.][^=&]*=/,
    'Modifiers and chains in a filter are not evaluated: give a plain parameter.',
  ],
  [/\?/, 'Its filter is none: write parameters of the type as name=value, with & between them.'],
  [/^(?:patient|user|system)\//, 'It does not have the form of a SMART scope, such as patient/Observation.rs.'],
]

export function misspelling(scope: string, catalogue: Catalogue): string {
  const broken = MALFORMED.find(([pattern]) => pattern.test(scope))
  if (broken !== undefined) return broken[1]
  const near = catalogue.scopes.find(
    (known) => parseScope(known) === undefined && known.toLowerCase() === scope.toLowerCase(),
  )
  if (near !== undefined) return `The catalogue spells it ${near}. Scopes are case-sensitive.`
  return 'The catalogue of this gateway has no such scope.'
}
