// `grants:` of a FHIR route: what product scopes are worth in SMART scopes, and through which doors they count.
import { choice, defaulted, flag, list, named, parsed, section, shaped, shorthand } from './keywords.ts'
import { SCOPE_TOKEN } from './scope-catalogue.ts'
import { parseWorths } from './smart-worth.ts'

/** How a request comes in: alone, as an entry of a batch or transaction, as an operation, as a bulk export. */
export type Door = 'rest' | 'bundle' | 'operation' | 'bulk'

export interface RouteGrant {
  readonly name: string
  /** One SMART scope. */
  readonly scope: string
  readonly via: readonly Door[]
  readonly criteria: boolean
}

const worth = parsed(parseWorths, 'SMART scopes that it is worth, separated by spaces.', {
  '~expected': 'a SMART scope such as system/*.rs',
})

const doors = list(choice(['rest', 'bundle', 'operation', 'bulk'], 'A door.'), 'Doors through which it counts.', {
  minItems: 1,
})

const grant = section(
  {
    scope: worth,
    via: defaulted(doors, ['rest', 'bundle']),
    criteria: defaulted(
      flag('Entries written by it may carry search criteria (conditional references, ifNoneExist) without `s`.'),
      false,
    ),
  },
  'What a product scope is worth, and where.',
)

export const Grants = shaped(
  named(
    shorthand(worth, grant, (scope) => ({ scope }), 'What a product scope is worth.'),
    'Product scopes and the SMART scopes that they are worth here.',
    SCOPE_TOKEN,
  ),
  (grants): readonly RouteGrant[] =>
    Object.entries(grants).flatMap(([name, { scope, ...rest }]) => scope.map((one) => ({ name, scope: one, ...rest }))),
)
