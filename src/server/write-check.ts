// Before a write within constraints goes upstream: the new resource and the stored one are both checked, and the write is made
// conditional on the version that was looked at, so that nothing can slip in between (spec §1.4; docs/decisions/0008).

import type { Constraint } from '../domain/constraint/constraint.ts'
import type { TypeLimit } from '../domain/constraint/limit.ts'
import { narrow } from '../domain/constraint/narrow.ts'
import { isWritable, mayBecome, type Writable, writable } from '../domain/constraint/write.ts'
import type { Write } from '../domain/fhir/interaction.ts'
import { printRequestPath } from '../domain/fhir/request-path.ts'
import type { Search } from '../domain/fhir/search.ts'
import { type Parameter, printQuery } from '../domain/http/request-target.ts'
import type { Json, JsonObject } from '../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { notFound } from '../proxy/guarded-resource.ts'
import { applyJsonPatch } from './json-patch.ts'
import { type Ask, readMatches, readStored } from './stored-resource.ts'

export interface WriteQuestion {
  readonly interaction: Write
  readonly constraint: Constraint
  /** The new resource of a create or update. */
  readonly resource?: JsonObject | undefined
  /** The operations of a JSON Patch; undefined where the patch is of another kind. */
  readonly patch?: readonly Json[] | undefined
  readonly ifMatch?: string | undefined
}

export interface WriteRules {
  readonly ask: Ask
  readonly unversionedWrites: 'allow' | 'refuse'
  readonly updateCreate: 'allow' | 'refuse'
}

/** What the write must be made conditional on, and where it really goes. */
export interface CheckedWrite {
  readonly ifMatch?: string
  readonly ifNoneMatch?: '*'
  /** Set where a condition was resolved. */
  readonly id?: string
  /** The condition of a create, narrowed. */
  readonly ifNoneExist?: string
}

const LETTER = { create: 'c', update: 'u', patch: 'u', delete: 'd' } as const

export async function checkWrite(question: WriteQuestion, rules: WriteRules): Promise<CheckedWrite | Refusal> {
  const { interaction, constraint } = question
  const limits = constraint.limitsOn(interaction.type, LETTER[interaction.code])
  const next = interaction.code === 'create' || interaction.code === 'update' ? readNext(question, limits) : undefined
  if (isRefusal(next)) return next
  if (interaction.code === 'create')
    return interaction.condition === undefined ? {} : narrowCreate(interaction.condition, question)
  const id = interaction.id ?? (await resolve(interaction.condition!, question, rules))
  if (isRefusal(id)) return id
  const resolved = interaction.id === undefined ? { id } : {}
  if (limits === undefined || isKnownById(interaction.type, id, limits)) return resolved
  const checked = await checkStored(id, next, limits, question, rules)
  return isRefusal(checked) ? checked : { ...checked, ...resolved }
}

/** What the body would make of the resource, which must be allowed before anything is asked. */
function readNext(
  { interaction, resource, constraint }: WriteQuestion,
  limits: readonly TypeLimit[] | undefined,
): Writable | undefined | Refusal {
  if (resource?.['resourceType'] !== interaction.type) {
    return refuse('body-invalid', 'The resourceType of the body is not the type in the URL.')
  }
  if (interaction.code === 'update' && interaction.id !== undefined && resource['id'] !== interaction.id) {
    return refuse('body-invalid', 'The id of the resource must be there and be the id in the URL.')
  }
  if (limits === undefined) return undefined
  // A server gives a new resource an id of its own.
  const seen = interaction.code === 'create' ? { ...resource, id: null } : resource
  const next = writable(seen, interaction.type, limits, constraint.policy)
  return isWritable(next) ? next : outside()
}

async function checkStored(
  id: string,
  next: Writable | undefined,
  limits: readonly TypeLimit[],
  { interaction, constraint, patch, ifMatch }: WriteQuestion,
  { ask, unversionedWrites, updateCreate }: WriteRules,
): Promise<CheckedWrite | Refusal> {
  const { policy } = constraint
  const stored = await readStored(ask, interaction.type, id)
  if (isRefusal(stored)) return stored
  if (stored === undefined)
    return interaction.code === 'update' && updateCreate === 'allow' ? { ifNoneMatch: '*' } : notFound()
  const before = writable(stored.resource, interaction.type, limits, policy)
  if (!isWritable(before)) return notFound()
  const after = interaction.code === 'patch' ? readPatched(stored.resource, patch) : next
  if (isRefusal(after)) return after
  const become = isPatched(after) ? writable(after.patched, interaction.type, limits, policy) : after
  if (become !== undefined && !mayBecome(before, become)) return outside()
  if (ifMatch !== undefined && ifMatch !== stored.etag) {
    return refuse('version-conflict', 'The stored resource has another version than If-Match says. Read it again.')
  }
  if (stored.etag !== undefined) return { ifMatch: stored.etag }
  if (unversionedWrites === 'allow') return {}
  const detail =
    'The server behind this route gives no versions, so nothing guarantees that what was checked is what is changed.'
  return refuse('constraint-unenforceable', detail)
}

interface Patched {
  readonly patched: JsonObject
}

function isPatched(value: Writable | Patched | undefined): value is Patched {
  return value !== undefined && 'patched' in value
}

function readPatched(stored: JsonObject, patch: readonly Json[] | undefined): Patched | Refusal {
  if (patch === undefined) {
    const detail =
      'Within the limits of these scopes only a JSON Patch can be checked: send application/json-patch+json.'
    return refuse('body-invalid', detail)
  }
  const patched = applyJsonPatch(stored, patch)
  if (isRefusal(patched)) return patched
  if (patched['resourceType'] !== stored['resourceType'] || patched['id'] !== stored['id']) {
    return refuse('body-invalid', 'A patch must change neither the type nor the id of a resource.')
  }
  return { patched }
}

function narrowCreate(condition: Search, question: WriteQuestion): CheckedWrite | Refusal {
  const parameters = narrowed(condition, question)
  return isRefusal(parameters) ? parameters : { ifNoneExist: printQuery(parameters) }
}

/** The one resource that a condition finds within the grant; what lies outside is not found. */
async function resolve(condition: Search, question: WriteQuestion, { ask }: WriteRules): Promise<string | Refusal> {
  const { interaction, constraint } = question
  const parameters = narrowed(condition, question)
  if (isRefusal(parameters)) return parameters
  const found = await readMatches(ask, printRequestPath([interaction.type], parameters))
  if (isRefusal(found)) return found
  const limits = constraint.limitsOn(interaction.type, 's')
  const mine = found.filter(
    (one) =>
      one['resourceType'] === interaction.type &&
      (limits === undefined || isWritable(writable(one, interaction.type, limits, constraint.policy))),
  )
  const id = mine[0]?.['id']
  if (mine.length > 1)
    return refuse('version-conflict', 'The condition finds more than one resource. Name one by its id.')
  return typeof id === 'string' ? id : notFound()
}

function narrowed({ parameters }: Search, { interaction, constraint }: WriteQuestion): readonly Parameter[] | Refusal {
  const limits = constraint.limitsOn(interaction.type, 's')
  if (limits === undefined) return parameters
  const { definitions, ownBases } = constraint.policy
  const result = narrow(parameters, limits, { type: interaction.type, definitions, ownBases })
  return isRefusal(result) ? result : result.parameters
}

/** The launch patient's own Patient is in the compartment by its id, whatever is stored under it. */
function isKnownById(type: string, id: string, limits: readonly TypeLimit[]): boolean {
  return type === 'Patient' && limits.some(({ patients, clauses }) => clauses.length === 0 && patients?.includes(id))
}

function outside(): Refusal {
  return refuse('scope-insufficient', 'The resource that would be written is outside what the scopes cover.')
}
