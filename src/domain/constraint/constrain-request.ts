// A request that was cleared within constraints, rewritten so that an honest server finds nothing outside them and answers with
// everything that the guard needs to see. Searches are narrowed, alone and as entries of a Bundle; elements and summaries are asked
// for whole; counts that nobody could check are refused (spec §2.4, §3.4).

import { choosesResources } from '../fhir/common-parameters.ts'
import type { Interaction } from '../fhir/interaction.ts'
import { printRequestPath } from '../fhir/request-path.ts'
import { baseName } from '../fhir/search.ts'
import type { FhirRequest } from '../fhir-request.ts'
import { type Parameter, printQuery } from '../http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { Constraint } from './constraint.ts'
import { narrow } from './narrow.ts'
import { patientParameters, patientsNamed } from './patient-clause.ts'

export interface ConstrainedRequest {
  readonly request: FhirRequest
  /** Whether an honest server finds nothing else; if not, how many pages there are would tell of what is withheld. */
  readonly exact: boolean
}

export function constrainRequest(request: FhirRequest, constraint: Constraint): ConstrainedRequest | Refusal {
  const { interaction, segments, bodyUse } = request
  const constrained = constrainParameters(interaction, request.parameters, constraint)
  if (isRefusal(constrained)) return constrained
  const { parameters, exact } = constrained
  if (bodyUse === 'form') return { request: { ...request, body: printQuery(parameters) }, exact }
  return { request: { ...request, path: printRequestPath(segments, parameters) }, exact }
}

export interface ConstrainedParameters {
  readonly parameters: readonly Parameter[]
  readonly exact: boolean
  /** Whether, besides whose record it is, anything is asked of what was found. */
  readonly probes: boolean
}

/** The parameters of one request, or of one entry of a Bundle. */
export function constrainParameters(
  interaction: Interaction,
  given: readonly Parameter[],
  constraint: Constraint,
): ConstrainedParameters | Refusal {
  const uncountable = given.find(
    ({ name, value }) => (name === '_summary' && value === 'count') || (name === '_count' && /^0+$/.test(value)),
  )
  if (uncountable !== undefined) {
    const detail = `A mere count cannot be checked against the limits of the scopes: leave ${uncountable.name} away.`
    return refuse('constraint-unenforceable', detail)
  }
  const oracle = interaction.code === 'search-system' ? unnarrowable(interaction) : undefined
  if (oracle !== undefined) return oracle
  const whole = given.filter(({ name }) => !PARTIAL.has(name))
  const limits = interaction.code === 'search-type' ? constraint.limitsOn(interaction.type, 's') : undefined
  if (interaction.code !== 'search-type' || limits === undefined)
    return { parameters: whole, exact: !isUnnarrowed(interaction), probes: false }
  const { definitions, ownBases } = constraint.policy
  const narrowed = narrow(whole, limits, { type: interaction.type, definitions, ownBases })
  if (isRefusal(narrowed)) return narrowed
  const link = patientParameters(interaction.type, definitions)
  const probes = whole.some(
    (parameter) =>
      choosesResources(baseName(parameter.name)) &&
      (link === undefined || patientsNamed(parameter, link, ownBases) === undefined),
  )
  return { parameters: narrowed.parameters, exact: narrowed.exact, probes }
}

function isUnnarrowed({ code }: Interaction): boolean {
  return code === 'search-system' || code === 'history-type' || code === 'history-system'
}

/**
 * A search of every type cannot be narrowed, so whether a page follows would tell what else matches. Only the launch patient's own
 * compartment, which is cut by the path, may be searched by criteria.
 */
function unnarrowable({ search, compartment }: Extract<Interaction, { code: 'search-system' }>): Refusal | undefined {
  if (compartment?.type === 'Patient') return undefined
  const criterion = search.parameters.find(({ name }) => choosesResources(baseName(name)))
  if (criterion === undefined && compartment === undefined) return undefined
  const detail = 'Within the limits of these scopes only single types, or /Patient/[id]/*, can be searched by criteria.'
  return refuse('constraint-unenforceable', detail)
}

/** They would leave out what the guard needs to see, or count what it withholds; a server need not honour them (R4 search §3.1.1.5). */
const PARTIAL = new Set(['_elements', '_summary', '_total', '_format', '_pretty'])
