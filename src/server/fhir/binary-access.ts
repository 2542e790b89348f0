// Whether a Binary may be read within limits: by its securityContext, or, where it has none, by a DocumentReference of the same patient that
// may be read and has it for an attachment (spec §2.5). A referrer proves only what its writer could not make up: whoever writes one
// in a patient's name may point it to no Binary that is not open already (`refusePointing`), and for whoever writes them in nobody's name
// none counts.

import { standInOf } from '../../domain/constraint/binary.ts'
import type { Constraint } from '../../domain/constraint/constraint.ts'
import { Guard } from '../../domain/constraint/guard.ts'
import { isOnlyAbout } from '../../domain/constraint/write.ts'
import { isOwn, parseReference } from '../../domain/fhir/literal-reference.ts'
import { printRequestPath } from '../../domain/fhir/request-path.ts'
import { isJsonObject, type Json, type JsonObject } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { type Ask, readMatches, readStored } from './stored-resource.ts'

const REFERRER = 'DocumentReference'

/** `binary` is what is stored under the id, as JSON. */
export async function mayReadBinary(
  binary: JsonObject,
  id: string,
  constraint: Constraint,
  ask: Ask,
): Promise<boolean | Refusal> {
  const standIn = standInOf(binary, constraint)
  if (standIn === 'open') return true
  if (binary['securityContext'] === undefined) return isReferredTo(binary, id, constraint, ask)
  if (standIn === undefined) return false
  const stored = await readStored(ask, standIn.type, standIn.id)
  if (isRefusal(stored)) return stored.code === 'not-found' ? false : stored
  return stored !== undefined && standIn.opens(stored.resource)
}

async function isReferredTo(
  binary: JsonObject,
  id: string,
  constraint: Constraint,
  ask: Ask,
): Promise<boolean | Refusal> {
  const { ownBases } = constraint.policy
  const isMadeUp = ['c', 'u'].some((permission) => {
    const limits = constraint.limitsOn(REFERRER, permission)
    return limits === undefined || limits.some(({ patients }) => patients === undefined)
  })
  if (isMadeUp || constraint.limitsOn(REFERRER, 'r')?.length === 0) return false
  const urls = ['', ...ownBases.map((base) => `${base}/`)].map((base) => `${base}Binary/${id}`).join(',')
  const guard = new Guard(constraint, () => 'r')
  for (const patient of patientsOf(binary, constraint)) {
    const parameters = [
      { name: 'location', value: urls },
      { name: 'patient', value: `Patient/${patient}` },
    ]
    const found = await readMatches(ask, printRequestPath([REFERRER], parameters))
    // A server that cannot search for it has nothing to say of it.
    if (isRefusal(found)) return found.status >= 500 && found.code !== 'upstream-broken' ? found : false
    const refers = found.resources.some(
      (one) =>
        pointsTo(one, constraint).has(id) &&
        isOnlyAbout(one, REFERRER, patient, constraint.policy) &&
        guard.releases(one),
    )
    if (refers) return true
  }
  return false
}

/** The patients in whose name Binaries may be read at all. */
function patientsOf(binary: JsonObject, constraint: Constraint): readonly string[] {
  const limits = constraint.limitsOn('Binary', 'r') ?? []
  // A filter on a Binary is asked of the Binary itself, which only its context is joined with.
  const plain = limits.filter(({ clauses }) => clauses.length === 0 && binary['resourceType'] === 'Binary')
  return [...new Set(plain.flatMap(({ patients = [] }) => patients))]
}

/** A DocumentReference that is written within limits: the Binaries that it newly points to must be open to its writer. */
export async function refusePointing(
  next: JsonObject,
  stored: JsonObject | undefined,
  constraint: Constraint,
  ask: Ask,
): Promise<Refusal | undefined> {
  if (next['resourceType'] !== REFERRER || !isBound(constraint)) return undefined
  const before = stored === undefined ? new Set<string>() : pointsTo(stored, constraint)
  const added = [...pointsTo(next, constraint)].filter((id) => !before.has(id))
  if (added.length > MOST_ADDED) return outside()
  for (const id of added) {
    if (constraint.limitsOn('Binary', 'r')?.length === 0) return outside()
    const binary = await readStored(ask, 'Binary', id)
    if (isRefusal(binary)) return binary.code === 'not-found' ? outside() : binary
    const opens = binary === undefined ? false : await mayReadBinary(binary.resource, id, constraint, ask)
    if (isRefusal(opens)) return opens
    if (!opens) return outside()
  }
  return undefined
}

/** Whether any scope to write them is tied to patients: what others write opens nothing to themselves. */
function isBound(constraint: Constraint): boolean {
  return ['c', 'u'].some((permission) =>
    constraint.limitsOn(REFERRER, permission)?.some(({ patients }) => patients !== undefined),
  )
}

const MOST_ADDED = 20

function outside(): Refusal {
  return refuse('scope-insufficient', 'An attachment points to a Binary that this credential may not read.')
}

/** Ids of Binaries of this server that a resource points to, by whatever member. */
function pointsTo(resource: Json, { policy }: Constraint): ReadonlySet<string> {
  const ids = new Set<string>()
  const visit = (value: Json): void => {
    if (typeof value === 'string') {
      const named = value.includes('Binary') ? parseReference(value.replace(/^\//, '')) : undefined
      if (named?.type === 'Binary' && isOwn(named, policy.ownBases)) ids.add(named.id)
    } else if (Array.isArray(value)) value.forEach(visit)
    else if (isJsonObject(value)) Object.values(value).forEach(visit)
  }
  visit(resource)
  return ids
}
