// The access that an operation requires, by its rule on the route (contract §3 `operations`): FHIR and SMART define none, so an operation
// without a rule is refused (spec §2.5). Whatever it is asked for, an operation may answer with resources of any type.

import type { ExportKickOff } from '../fhir/bulk-export.ts'
import type { Definitions } from '../fhir/definitions.ts'
import { type Interaction, isExport } from '../fhir/interaction.ts'
import { parseSearch } from '../fhir/search.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { ScopeContext } from '../smart/scope.ts'
import { exportAccess } from './export-access.ts'
import { searchProbes } from './operation-probes.ts'
import type { Need, RequiredAccess } from './required-access.ts'

export type Operation = Extract<Interaction, { code: 'operation' }>

/** One operation that a route opens. */
export interface OperationRule {
  /** URL shape below the base: `$name`, `Type/$name` or `Type/{id}/$name`; the type may be `{type}`. */
  readonly shape: string
  readonly bulk: boolean
  /** A type (or `*`, or `{type}`) and letters, or a product scope; absent for a bulk operation. */
  readonly requires?: { readonly type: string; readonly letters: string } | { readonly scope: string }
  readonly methods: readonly string[]
  readonly contexts: readonly ScopeContext[]
}

export interface OperationRequest extends ExportKickOff {
  readonly interaction: Operation
}

/** The access, or the one product scope that opens it, or a refusal. */
export function operationAccess(
  request: OperationRequest,
  rules: readonly OperationRule[],
  definitions: Definitions,
): RequiredAccess | { readonly scope: string } | Refusal {
  const { interaction, method } = request
  const rule = rules.find((one) => fits(one, interaction))
  if (rule === undefined) return refuse('operation-not-listed', 'This operation is not opened on this route.')
  const asked = method === 'HEAD' ? 'GET' : method
  if (!rule.methods.includes(asked)) {
    return refuse('interaction-unknown', `This operation is opened for ${rule.methods.join(', ')} only.`, {
      allow: rule.methods,
    })
  }
  // Answered later and elsewhere, an export is looked after as one or not at all.
  if (rule.bulk !== isExport(interaction))
    return refuse('operation-not-listed', '$export, and nothing else, is opened by { bulk: true } in the route map.')
  if (rule.bulk && method === 'HEAD')
    return refuse('interaction-unknown', 'A HEAD starts no export.', { allow: ['GET', 'POST'] })
  if (rule.bulk) return exportAccess(interaction, request, definitions)
  const { requires } = rule
  if (requires === undefined)
    return refuse('operation-not-listed', 'This operation is opened without saying what it needs.')
  if ('scope' in requires) return requires
  const type = requires.type === '{type}' ? (interaction.type ?? '*') : requires.type
  const needs = [...requires.letters].map(
    (letter): Need => ({ type, permissions: letter, role: 'own', ...idOf(interaction, type) }),
  )
  const probes = interaction.id === undefined ? probesOf(request, definitions) : []
  if (isRefusal(probes)) return probes
  const alongside = type === '*' ? [] : [COMES_ALONG]
  return { door: 'operation', interaction, needs: [...needs, ...probes, ...alongside], contexts: rule.contexts }
}

/** What no scope covers is cut from the answer. */
const COMES_ALONG: Need = { type: '*', permissions: 'rs', role: 'include', optional: true }

/** Parameters in the URL of an operation on a type may be search criteria; what is included comes with the answer. */
function probesOf({ interaction, parameters }: OperationRequest, definitions: Definitions): readonly Need[] | Refusal {
  const search = parseSearch(parameters, interaction.type ?? '*', definitions)
  if (isRefusal(search)) return search
  return searchProbes(search.reaches.filter(({ kind }) => kind === 'probe' || kind === 'list'))
}

/** More exact shapes stand first in no particular order: no two of one route fit the same operation but by `{type}`. */
function fits({ shape }: OperationRule, { name, type, id }: Operation): boolean {
  const place = type === undefined ? '' : id === undefined ? '/' : '/{id}/'
  return shape === `${type ?? ''}${place}${name}` || (type !== undefined && shape === `{type}${place}${name}`)
}

function idOf({ type, id }: Operation, needed: string): { id?: string } {
  return type === 'Patient' && needed === 'Patient' && id !== undefined ? { id } : {}
}
