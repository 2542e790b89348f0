// Before a write within constraints goes upstream: the new resource and the stored one are both checked, and the write is made
// conditional on the version that was looked at, so that nothing can slip in between (spec §1.4; docs/decisions/0008).

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { Guard } from '../../domain/constraint/guard.ts'
import type { TypeLimit } from '../../domain/constraint/limit.ts'
import { hasMisspeltMember } from '../../domain/constraint/misspelt-members.ts'
import { isWritable, mayBecome, type Writable, writable } from '../../domain/constraint/write.ts'
import { queriesOf } from '../../domain/fhir/conditional-reference.ts'
import type { Write } from '../../domain/fhir/interaction.ts'
import type { PatchContent } from '../../domain/fhir/patch.ts'
import { printQuery } from '../../domain/http/request-target.ts'
import type { Json, JsonObject } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { notFound } from '../../proxy/guarded-resource.ts'
import { refusePointing } from './binary-access.ts'
import { keepsIdentity, patchStored } from './json-patch.ts'
import { ProvenanceTargets } from './provenance-targets.ts'
import { type Ask, allowsVersion, readStored } from './stored-resource.ts'
import { findOne, narrowCondition } from './write-condition.ts'

export interface WriteQuestion {
  readonly interaction: Write
  readonly constraint: Constraint
  /** The new resource of a create or update. */
  readonly resource?: JsonObject | undefined
  readonly patch?: PatchContent | undefined
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
  /** The condition of a create, narrowed. An update whose condition finds nothing becomes such a create. */
  readonly ifNoneExist?: string
  /** Whether the caller may read what is stored, so that the server's own words about it may be passed on. */
  readonly isReadable: boolean
}

const LETTER = { create: 'c', update: 'u', patch: 'u', delete: 'd' } as const

/** A question, and what a Provenance in it may be about. */
type Checking = WriteQuestion & { readonly ask: Ask; readonly targets?: ProvenanceTargets | undefined }

export async function checkWrite(asked: WriteQuestion, rules: WriteRules): Promise<CheckedWrite | Refusal> {
  const { interaction, constraint } = asked
  const limits = constraint.limitsOn(interaction.type, LETTER[interaction.code])
  const question: Checking = {
    ...asked,
    ask: rules.ask,
    targets:
      interaction.type === 'Provenance' && limits !== undefined
        ? new ProvenanceTargets(constraint, limits, rules.ask)
        : undefined,
  }
  if (interaction.code === 'create') return checkCreate(question, limits, interaction.condition)
  if (interaction.id !== undefined) return checkInstance(interaction.id, question, limits, rules)
  const id = await findOne(interaction.condition!, interaction.type, constraint, rules.ask)
  if (isRefusal(id)) return id
  if (id === undefined) return checkUpsert(question, limits, rules)
  const checked = await checkInstance(id, question, limits, rules)
  return isRefusal(checked) ? checked : { ...checked, id }
}

async function checkCreate(
  question: Checking,
  limits: readonly TypeLimit[] | undefined,
  condition: Extract<Write, { code: 'create' }>['condition'],
): Promise<CheckedWrite | Refusal> {
  const { interaction, resource, constraint, ask } = question
  const next = await readNext(question, limits, undefined)
  if (isRefusal(next)) return next
  const pointing = limits === undefined ? undefined : await refusePointing(resource!, undefined, constraint, ask)
  if (pointing !== undefined) return pointing
  // What is not there yet is the client's own, if it may read anything of the kind.
  const isReadable = constraint.limitsOn(interaction.type, 'r')?.length !== 0
  if (condition === undefined) return { isReadable }
  const parameters = narrowCondition(condition, interaction.type, constraint)
  return isRefusal(parameters) ? parameters : { ifNoneExist: printQuery(parameters), isReadable }
}

/** An update whose condition finds nothing makes a new resource (R4 http §cond-update), like a PUT to a free id. */
async function checkUpsert(
  question: Checking,
  limits: readonly TypeLimit[] | undefined,
  rules: WriteRules,
): Promise<CheckedWrite | Refusal> {
  const { interaction, resource } = question
  if (interaction.code !== 'update' || rules.updateCreate === 'refuse' || question.ifMatch !== undefined)
    return notFound()
  const id = resource?.['id']
  if (typeof id !== 'string') return checkCreate(question, limits, interaction.condition)
  const checked = await checkInstance(id, question, limits, rules, true)
  return isRefusal(checked) ? checked : { ...checked, id }
}

async function checkInstance(
  id: string,
  question: Checking,
  limits: readonly TypeLimit[] | undefined,
  { ask, unversionedWrites, updateCreate }: WriteRules,
  mustBeFree = false,
): Promise<CheckedWrite | Refusal> {
  const { interaction, constraint, patch, ifMatch } = question
  const next = interaction.code === 'update' ? await readNext(question, limits, id) : undefined
  if (isRefusal(next)) return next
  const readLimits = constraint.limitsOn(interaction.type, 'r')
  const asks = patch?.asks !== undefined
  const isKnown = limits === undefined || (isKnownById(interaction.type, id, limits) && staysKnown(interaction, patch))
  if (isKnown && !mustBeFree && !asks)
    return { isReadable: readLimits === undefined || isKnownById(interaction.type, id, readLimits) }
  const stored = await readStored(ask, interaction.type, id)
  if (isRefusal(stored)) return stored
  if (stored === undefined) {
    if (interaction.code !== 'update' || updateCreate === 'refuse') return notFound()
    const pointing = await refusePointing(question.resource!, undefined, constraint, ask)
    return pointing ?? { ifNoneMatch: '*', isReadable: readLimits?.length !== 0 }
  }
  if (mustBeFree) return notFound()
  const unfit = limits === undefined ? undefined : await refuseChange(stored.resource, next, question, limits)
  if (unfit !== undefined) return unfit
  const isReadable = new Guard(constraint, () => 'r').releases(stored.resource)
  if (asks && !isReadable) return refuse('scope-insufficient', ASKS)
  if (ifMatch !== undefined && !allowsVersion(ifMatch, stored.etag)) {
    return refuse('version-conflict', 'The stored resource has another version than If-Match says. Read it again.')
  }
  if (stored.etag !== undefined) return { ifMatch: stored.etag, isReadable }
  if (unversionedWrites === 'allow') return { isReadable }
  const detail =
    'The server behind this route gives no versions, so nothing guarantees that what was checked is what is changed.'
  return refuse('constraint-unenforceable', detail)
}

const ASKS =
  'The patch asks what is stored, and the scopes do not let this credential read it. Send it without test, copy and move.'

/** What is stored and what it would become must both be allowed, and by the same right. */
async function refuseChange(
  stored: JsonObject,
  next: Writable | undefined,
  question: Checking,
  limits: readonly TypeLimit[],
): Promise<Refusal | undefined> {
  const { interaction, constraint, patch, resource } = question
  const { code, type } = interaction
  const { policy } = constraint
  const before = await rightsOn(stored, question, limits)
  if (isRefusal(before)) return before
  if (!isWritable(before)) return notFound()
  const patched = code === 'patch' ? readPatched(stored, patch?.operations) : undefined
  if (isRefusal(patched)) return patched
  if (patched !== undefined && hasMisspeltMember(patched, type, limits, policy)) return misspelt()
  const after = patched === undefined ? next : await rightsOn(patched, question, limits)
  if (isRefusal(after)) return after
  if (after !== undefined && !mayBecome(before, after)) return outside()
  const result = patched ?? resource
  return result && refusePointing(result, stored, constraint, question.ask)
}

/** In whose name a resource may be written. */
async function rightsOn(
  resource: JsonObject,
  { interaction, constraint, targets }: Checking,
  limits: readonly TypeLimit[],
): Promise<Writable | Refusal> {
  const proven = await targets?.prove(resource)
  return isRefusal(proven) ? proven : writable(resource, interaction.type, limits, constraint.policy, proven)
}

/** What the body would make of the resource; `id` is the one under which it would stand, undefined where the server gives it one. */
async function readNext(
  question: Checking,
  limits: readonly TypeLimit[] | undefined,
  id: string | undefined,
): Promise<Writable | undefined | Refusal> {
  const { interaction, resource, constraint } = question
  if (resource?.['resourceType'] !== interaction.type) {
    return refuse('body-invalid', 'The resourceType of the body is not the type in the URL.')
  }
  const mayLackId = interaction.code === 'create' || interaction.id === undefined
  if (interaction.code !== 'create' && resource['id'] !== id && !(mayLackId && resource['id'] === undefined)) {
    return refuse('body-invalid', 'The id of the resource must be there and be the id in the URL.')
  }
  if (limits === undefined) return undefined
  if (hasMisspeltMember(resource, interaction.type, limits, constraint.policy)) return misspelt()
  const next = await rightsOn({ ...resource, id: id ?? null }, question, limits)
  return isRefusal(next) || isWritable(next) ? next : outside()
}

function readPatched(stored: JsonObject, patch: readonly Json[] | undefined): JsonObject | Refusal {
  if (patch === undefined) {
    const detail =
      'Within the limits of these scopes only a JSON Patch can be checked: send application/json-patch+json.'
    return refuse('body-invalid', detail)
  }
  const patched = patchStored(stored, patch)
  if (isRefusal(patched)) return patched
  // Some servers look conditional references up wherever they find them.
  const before = queriesOf(stored)
  if ([...queriesOf(patched)].every((text) => before.has(text))) return patched
  return refuse('body-invalid', 'A patch must not put in a conditional reference.')
}

/** The launch patient's own Patient is in the compartment by its id, whatever is stored under it. */
function isKnownById(type: string, id: string, limits: readonly TypeLimit[]): boolean {
  return type === 'Patient' && limits.some(({ patients, clauses }) => clauses.length === 0 && patients?.includes(id))
}

/** Whether a record that is known by its id is so afterwards. */
function staysKnown({ code }: Write, patch: PatchContent | undefined): boolean {
  return code !== 'patch' || (patch?.operations !== undefined && keepsIdentity(patch.operations))
}

function misspelt(): Refusal {
  return refuse('body-invalid', 'A member name differs from that of FHIR in upper and lower case only.')
}

function outside(): Refusal {
  return refuse('scope-insufficient', 'The resource that would be written is outside what the scopes cover.')
}
