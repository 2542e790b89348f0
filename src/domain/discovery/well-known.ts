// Where the open documents lie. SMART appends its well-known path to the FHIR base, however long that is; RFC 9728 §3.1 inserts
// its own between the host and the path of the resource.

export const metadataPath = (base: string): string => `${base}/metadata`

export const smartConfigurationPath = (base: string): string => `${base}/.well-known/smart-configuration`

/** `path` is that of the resource: empty, or with a slash at its start and none at its end. */
export const protectedResourcePath = (path: string): string => `/.well-known/oauth-protected-resource${path}`

/** The path that all these templates have in common, as far as it is literal: what a route to a product API protects. */
export function commonPath(templates: readonly string[]): string {
  const [first = [], ...others] = templates.map(literalSegments)
  const length = others.reduce((shortest, segments) => Math.min(shortest, sharedLength(first, segments)), first.length)
  return first
    .slice(0, length)
    .map((segment) => `/${segment}`)
    .join('')
}

function literalSegments(template: string): readonly string[] {
  const segments = template.split('/').filter((segment) => segment !== '')
  const open = segments.findIndex((segment) => segment === '*' || segment.startsWith('{'))
  return open < 0 ? segments : segments.slice(0, open)
}

function sharedLength(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((segment, index) => segment !== b[index])
  return differs < 0 ? a.length : differs
}
