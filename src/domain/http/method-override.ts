// Parameters by which frameworks let a request pose as one of another method: Rack, Rails, Laravel, Symfony and Spring read `_method`
// from a form or a query, Jersey and others the names of the override headers. The method was decided on, so none of them passes.

import { type Refusal, refuse } from '../refusal.ts'

/** With separators folded, as PHP and CGI fold them. */
const OVERRIDES: ReadonlySet<string> = new Set([
  '-method',
  '-httpmethod',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
])

/** Whether a server may take a parameter of this decoded name for the method. */
export function overridesMethod(name: string): boolean {
  if (!/method/i.test(name)) return false
  const folded = name.trim().toLowerCase()
  return OVERRIDES.has(folded.replaceAll(/[^a-z0-9]/g, '-'))
}

export function refuseMethodOverride(parameters: readonly { readonly name: string }[]): Refusal | undefined {
  for (const { name } of parameters) if (overridesMethod(name)) return METHOD_OVERRIDDEN
  return undefined
}

export const METHOD_OVERRIDDEN = refuse(
  'target-ambiguous',
  'A parameter claims another method. Send the request by that method.',
)
