// `operations:` of a FHIR route. Keys are URL shapes below the base (`Patient/{id}/$everything`, `{type}/$validate`); two bare
// names stand for all the places where the specification defines them. What is not listed is refused.
import { choice, defaulted, either, flag, list, named, parsed, section, shaped, text } from './keywords.ts'
import { SCOPE_TOKEN } from './scope-catalogue.ts'
import { parseTypeAccess, type TypeAccess } from './smart-worth.ts'

export interface Operation {
  /** URL shape below the base: `$name`, `Type/$name`, `Type/{id}/$name`, where Type may be `{type}`. */
  readonly shape: string
  readonly bulk: boolean
  /** Access by type and letters, or a product scope by name; a bulk operation derives its own. */
  readonly requires?: TypeAccess | { readonly scope: string }
  readonly methods: readonly ('GET' | 'POST')[]
  readonly contexts: readonly ('patient' | 'user' | 'system')[]
}

/** `$name`, `Type/$name` or `Type/{id}/$name`. */
const SHAPE = {
  pattern: '^(([A-Z][A-Za-z]+|\\{type\\})/(\\{id\\}/)?)?\\$[A-Za-z][A-Za-z0-9.-]*$',
  '~expected': 'a URL shape such as $export, Patient/$match or Patient/{id}/$everything',
}

const SHAPES_OF_NAME: Readonly<Record<string, readonly string[]>> = {
  $export: ['$export', 'Patient/$export', 'Group/{id}/$export'],
  $everything: ['Patient/{id}/$everything'],
}

const bulk = section(
  { bulk: flag('A bulk data operation (FHIR Bulk Data Access); system scopes only.') },
  'A bulk data operation.',
)

const access = parsed(parseTypeAccess, 'Resource type and letters that it needs, such as *.rs or {type}.r.', {
  '~expected': 'type.letters such as *.rs or Patient.s',
})

const listed = section(
  {
    requires: either(
      [access, section({ scope: text('A scope of the catalogue.', SCOPE_TOKEN) }, 'A product scope.')],
      'What it needs.',
    ),
    methods: defaulted(list(choice(['GET', 'POST'], 'A method.'), 'Methods that it takes.', { minItems: 1 }), [
      'GET',
      'POST',
    ]),
    contexts: defaulted(
      list(choice(['patient', 'user', 'system'], 'A scope context.'), 'Contexts whose scopes count.', { minItems: 1 }),
      ['patient', 'user', 'system'],
    ),
  },
  'An operation and what it needs.',
)

export const Operations = shaped(
  named(
    either([bulk, listed], 'An operation.', { '~expected': 'a map with requires, or { bulk: true }' }),
    'Operations that may be called.',
    SHAPE,
  ),
  (operations): readonly Operation[] =>
    Object.entries(operations).flatMap(([key, operation]) =>
      (SHAPES_OF_NAME[key] ?? [key]).map(
        (shape): Operation =>
          'bulk' in operation
            ? { shape, bulk: operation.bulk, methods: ['GET', 'POST'], contexts: ['system'] }
            : { shape, bulk: false, ...operation },
      ),
    ),
)
