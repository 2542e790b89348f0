// Parameters by which frameworks let a request pose as one of another method: Rack, Rails, Laravel, Symfony and Spring read `_method`
// from a form or a query, Jersey and others the names of the override headers. The method was decided on, so none of them passes.

import { type Refusal, refuse } from '../refusal.ts'

/** Separators are folded as PHP and CGI do. */
const OVERRIDES =
  /^(?:_method|[_x]httpmethod|x[^a-z0-9]http[^a-z0-9]method(?:[^a-z0-9]override)?|x[^a-z0-9]method[^a-z0-9]override)$/i

export function overridesMethod(name: string): boolean {
  return OVERRIDES.test(name)
}

export function refuseMethodOverride(parameters: readonly { readonly name: string }[]): Refusal | undefined {
  for (const { name } of parameters) {
    if (overridesMethod(name)) {
      return refuse('target-ambiguous', 'A parameter claims another method. Send the request by that method.')
    }
  }
  return undefined
}
