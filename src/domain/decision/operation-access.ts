// The access that an operation requires, by its rule on the route (contract §3 `operations`): FHIR and SMART define none, so an operation
// without a rule is refused. A bulk export needs to read and search every exported type by `system/` scopes (spec §2.5, §8).

import type { Definitions } from '../fhir/definitions.ts'
import type { Interaction } from '../fhir/interaction.ts'
import type { Parameter } from '../http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { ScopeContext } from '../smart/scope.ts'
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

export interface OperationRequest {
  readonly interaction: Operation
  readonly method: string
  readonly parameters: readonly Parameter[]
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
  if (rule.bulk) return bulkAccess(request, definitions)
  const { requires } = rule
  if (requires === undefined)
    return refuse('operation-not-listed', 'This operation is opened without saying what it needs.')
  if ('scope' in requires) return requires
  const type = requires.type === '{type}' ? (interaction.type ?? '*') : requires.type
  const needs = [...requires.letters].map(
    (letter): Need => ({ type, permissions: letter, role: 'own', ...idOf(interaction, type) }),
  )
  return { door: 'operation', interaction, needs, contexts: rule.contexts }
}

/** More exact shapes stand first in no particular order: no two of one route fit the same operation but by `{type}`. */
function fits({ shape }: OperationRule, { name, type, id }: Operation): boolean {
  const place = type === undefined ? '' : id === undefined ? '/' : '/{id}/'
  return shape === `${type ?? ''}${place}${name}` || (type !== undefined && shape === `{type}${place}${name}`)
}

function bulkAccess(
  { interaction, method, parameters }: OperationRequest,
  definitions: Definitions,
): RequiredAccess | Refusal {
  if (method !== 'GET')
    return refuse('interaction-unknown', 'A bulk export is started by GET here.', { allow: ['GET'] })
  const stray = parameters.find(({ name }) => !EXPORT_PARAMETERS.has(name))
  if (stray !== undefined)
    return refuse('constraint-unenforceable', 'This bulk export has a parameter that is not understood here.')
  const types = exportedTypes(parameters, definitions)
  if (isRefusal(types)) return types
  const group: readonly Need[] = interaction.type === 'Group' ? [{ type: 'Group', permissions: 'r', role: 'own' }] : []
  const needs = types.flatMap((type): Need[] => ['r', 's'].map((permissions) => ({ type, permissions, role: 'own' })))
  return { door: 'bulk', interaction, needs: [...needs, ...group], contexts: ['system'] }
}

const EXPORT_PARAMETERS = new Set([
  '_outputFormat',
  '_since',
  '_until',
  '_type',
  '_typeFilter',
  '_elements',
  'organizeOutputBy',
  'allowPartialManifests',
])

/** `_type` may repeat and hold lists; without it an export holds every type. A filter of another type would bring that one in. */
function exportedTypes(parameters: readonly Parameter[], definitions: Definitions): readonly string[] | Refusal {
  const types = parameters
    .filter(({ name, value }) => name === '_type' && value !== '')
    .flatMap(({ value }) => value.split(','))
  const filtered = parameters
    .filter(({ name }) => name === '_typeFilter')
    .flatMap(({ value }) => value.split(','))
    .map((query) => query.split('?', 1)[0]!)
  const unknown = [...types, ...filtered].some((type) => !definitions.isResourceType(type))
  if (unknown)
    return refuse('interaction-unknown', 'The export names a type that this FHIR version does not define.', {
      status: 400,
    })
  return types.length === 0 ? ['*'] : [...new Set([...types, ...filtered])]
}

function idOf({ type, id }: Operation, needed: string): { id?: string } {
  return type === 'Patient' && needed === 'Patient' && id !== undefined ? { id } : {}
}
