// The canonical path and query of a FHIR request below the base, printed from what was parsed, for single requests and bundle
// entries alike: what was decided is what is sent (docs/decisions/0002).

import { type Parameter, printQuery } from '../http/request-target.ts'
import type { Interaction } from './interaction.ts'

/** Starts with `/` or `?`, or is empty. The segments passed the grammar of types, ids and operations, so they print as themselves. */
export function printRequestPath(segments: readonly string[], parameters: readonly Parameter[]): string {
  const query = printQuery(parameters)
  return segments.map((segment) => `/${segment}`).join('') + (query === '' ? '' : `?${query}`)
}

/** The parameters that are sent on: of a search or condition, those that it has; else all that were given. */
export function sentParameters(interaction: Interaction, given: readonly Parameter[]): readonly Parameter[] {
  if (interaction.code === 'search-type' || interaction.code === 'search-system') return interaction.search.parameters
  return 'condition' in interaction && interaction.code !== 'create'
    ? (interaction.condition?.parameters ?? given)
    : given
}
