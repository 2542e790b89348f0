// `scopes:` the catalogue: every scope that the gateway knows by name, by category, with the credentials that may carry it.
import type { Effective } from './effective.ts'
import { choice, defaulted, flag, list, named, section, shaped, text } from './keywords.ts'

/** RFC 6749 §3.3 scope-token. */
export const SCOPE_TOKEN = { pattern: '^[!#-\\[\\]-~]+$', '~expected': 'a scope without spaces or quotes' } as const

const Scope = section(
  {
    description: defaulted(text('What it grants, in one sentence.', { minLength: 0 }), ''),
    credentials: defaulted(
      list(
        choice(['api-key', 'service-key', 'oauth2', 'smart'], 'A kind of credential.'),
        'Kinds of credential that may carry it.',
        {
          minItems: 1,
        },
      ),
      ['oauth2'],
    ),
    products: defaulted(list(text('A product.'), 'Products that use it.'), []),
    selfService: defaulted(flag('Partners may take it for keys of their own.'), false),
  },
  'A scope of the catalogue.',
)

export type CatalogueScope = { readonly name: string; readonly category: string } & Effective<typeof Scope>

export const ScopeCatalogue = shaped(
  named(named(Scope, 'A category.', SCOPE_TOKEN), 'Catalogue of scopes, by category.'),
  (categories): readonly CatalogueScope[] =>
    Object.entries(categories).flatMap(([category, scopes]) =>
      Object.entries(scopes).map(([name, scope]) => ({ name, category, ...scope })),
    ),
)
