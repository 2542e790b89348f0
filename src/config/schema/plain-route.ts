// A route to any other product API: methods and path templates, each with the scopes that open it.
import { defaulted, either, list, named, optional, parsed, section, shaped, text } from './keywords.ts'
import { basePath, TEMPLATE } from './path.ts'
import { routeParts } from './route-parts.ts'
import { SCOPE_TOKEN } from './scope-catalogue.ts'
import { IdentityHeaders } from './toward-upstream.ts'
import { WebSocket } from './web-socket.ts'

export type Requirement = 'public' | { readonly anyOf: readonly string[] } | { readonly allOf: readonly string[] }

const METHOD_AND_PATH = {
  pattern: `^(?:GET|HEAD|POST|PUT|PATCH|DELETE) ${TEMPLATE}$`,
  '~expected': 'a method and a path such as GET /prime/v1/health or POST /api/{id}/*',
}

const scope = text('A scope of the catalogue.', SCOPE_TOKEN)
const scopes = list(scope, 'Scopes of the catalogue.', { minItems: 1 })

const requires = shaped(
  either(
    [
      text('One scope of the catalogue, or public.', SCOPE_TOKEN),
      section({ anyOf: scopes }, 'One of these scopes.'),
      section({ allOf: scopes }, 'All of these scopes.'),
    ],
    'The scopes that open it.',
    { '~expected': 'a scope, public, { anyOf: […] } or { allOf: […] }' },
  ),
  (value): Requirement => (value === 'public' ? 'public' : typeof value === 'string' ? { anyOf: [value] } : value),
)

const line = parsed(parseLine, 'One method and path.', METHOD_AND_PATH)

const rewrite = section(
  { from: basePath('Path prefix that is replaced.'), to: basePath('What replaces it.') },
  'Changes the path before it is appended to the upstream URL.',
)

export const PlainRoute = section(
  {
    ...routeParts,
    match: either(
      [line, named(requires, 'What each method and path needs.', METHOD_AND_PATH)],
      'Methods and paths that it serves.',
      {
        '~expected': 'GET /path with requires beside it, or a map from such lines to scopes',
      },
    ),
    requires: optional(requires),
    rewrite: optional(rewrite),
    identityHeaders: defaulted(IdentityHeaders, false),
    webSocket: optional(WebSocket),
  },
  'A route by methods and paths.',
)

/** A method and a path, as written. */
export interface MatchLine {
  readonly method: string
  readonly path: string
}

export function parseLine(text: string): MatchLine {
  const [method = '', path = ''] = text.split(' ')
  return { method, path }
}
