// The decision: required access against what the grant is worth, default deny (docs/decisions/0001). Pure, so that the cache,
// `explain` and the tests all call this very function. What is limited (a patient's compartment, a granular filter) can only be
// let through where the limit can be proved; everything else is refused.

import { Constraint } from '../constraint/constraint.ts'
import type { Interaction } from '../fhir/interaction.ts'
import type { CredentialKind, Grant } from '../grant.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { type Authority, authorityOf, type Cover, covering, type HeldScope } from './authority.ts'
import { type Coverage, clear, clearWithin, type Decision, type Deny } from './decision.ts'
import type { FhirPolicy } from './policy.ts'
import type { Need, RequiredAccess } from './required-access.ts'
import { canBeCovered, smallestSet } from './smallest-set.ts'

/** `required` has one element for a single interaction, one for each entry of a Bundle: all must be covered. */
export function decide(required: readonly RequiredAccess[], grant: Grant, policy: FhirPolicy): Decision {
  const authority = authorityOf(grant, policy)
  const covered: Coverage[] = []
  // INVARIANT: what needs nothing is not covered by anything. An empty list must never read as "all covered".
  if (required.length === 0 || required.some(({ needs }) => needs.length === 0)) {
    return deny(NOTHING_ASKED, covered, [], required, grant, policy)
  }
  const constraints: (Constraint | undefined)[] = []
  for (const access of required) {
    let limited = false
    for (const need of access.needs) {
      const verdict = judge(need, access, authority, policy)
      if (!isCoverage(verdict))
        return deny(verdict, covered, missingOf(required, authority, policy), required, grant, policy)
      covered.push(verdict)
      limited ||= verdict.limited === true
    }
    constraints.push(limited ? new Constraint(inContexts(authority.held, access), access.door, policy) : undefined)
  }
  if (constraints.every((constraint) => constraint === undefined)) return clear(covered)
  const searches = required.some(({ interaction, door }) => interaction.code.startsWith('search') || door === 'bulk')
  return clearWithin(searches ? 'narrow-guard' : 'guard', covered, constraints)
}

const NOTHING_ASKED: Shortfall = {
  code: 'scope-insufficient',
  detail: 'The request names no access that a scope could cover.',
}

function missingOf(required: readonly RequiredAccess[], authority: Authority, policy: FhirPolicy): Need[] {
  return required.flatMap((access) =>
    access.needs.filter((need) => !isCoverage(judge(need, access, authority, policy))),
  )
}

function isCoverage(verdict: Coverage | Shortfall): verdict is Coverage {
  return 'need' in verdict
}

type Shortfall = Pick<Refusal, 'code' | 'detail'>

function judge(need: Need, access: RequiredAccess, authority: Authority, policy: FhirPolicy): Coverage | Shortfall {
  const counting = (scopes: readonly HeldScope[]): readonly Cover[] =>
    covering(need, access.door, inContexts(scopes, access), policy)
  const covers = counting(authority.held)
  const fitting = covers.filter(({ scope }) => !namesAnotherPatient(need, access, scope))
  const best = fitting[0]
  if (best !== undefined && best.limit === undefined) return coverage(need, best.scope)
  const within = covers.length === 0 ? undefined : withinLimits(need, access, fitting)
  if (within !== undefined && isCoverage(within)) return within
  // What comes along unasked for is cut from the answer, which is why the answer must be checked. A limited scope that is of no
  // use here changes nothing about that.
  if (need.optional) return { need, scope: undefined, limited: true }
  if (within !== undefined) return within
  if (counting(authority.wrongKind).length > 0) {
    return {
      code: 'credential-kind',
      detail: 'The scope that covers this request does not count when this kind of credential carries it.',
    }
  }
  if (counting(authority.lackPatient).length > 0) {
    return {
      code: 'launch-context-missing',
      detail: 'patient/ scopes count only with a launch patient, and the token names none. Launch with launch/patient.',
    }
  }
  return { code: 'scope-insufficient', detail: `No scope of the credential covers ${describe(need)}.` }
}

/** `covers`: those that may be about the patient whom the request names. Limits can be kept where the resources concerned can be seen: in the answer, in the body, or by asking for what is stored. */
function withinLimits(need: Need, access: RequiredAccess, covers: readonly Cover[]): Coverage | Shortfall {
  if (covers.length === 0) {
    return { code: 'patient-mismatch', detail: 'The request names another patient than the one that the token is for.' }
  }
  if (need.role !== 'probe' && canBeChecked(need, access.interaction)) {
    return { ...coverage(need, covers[0]!.scope), limited: true }
  }
  const because =
    need.parameter === undefined ? `${access.interaction.code} on ${need.type}` : `the parameter ${need.parameter}`
  return {
    code: 'constraint-unenforceable',
    detail: `The scopes cover only a part of what ${because} would reach, and it cannot be cut to that part.`,
  }
}

/** An operation that may write shows neither what it changes nor what it made of it. */
function canBeChecked({ permissions }: Need, { code }: Interaction): boolean {
  return code !== 'operation' || permissions === 'r' || permissions === 's'
}

function inContexts(scopes: readonly HeldScope[], { contexts }: RequiredAccess): readonly HeldScope[] {
  return contexts === undefined ? scopes : scopes.filter(({ smart }) => contexts.includes(smart.context))
}

function namesAnotherPatient(need: Need, access: RequiredAccess, { limit }: HeldScope): boolean {
  if (limit?.patients === undefined) return false
  const { interaction } = access
  if (need.type === 'Patient' && need.id !== undefined) return !limit.patients.includes(need.id)
  if (interaction.code === 'operation' && interaction.type === 'Patient' && interaction.id !== undefined) {
    return !limit.patients.includes(interaction.id)
  }
  const compartment = 'compartment' in interaction ? interaction.compartment : undefined
  return compartment?.type === 'Patient' && !limit.patients.includes(compartment.id)
}

function coverage(need: Need, scope: HeldScope): Coverage {
  const meaning = printed(scope)
  return { need, scope: scope.granted, ...(scope.granted === meaning ? {} : { worth: meaning }) }
}

function deny(
  { code, detail }: Shortfall,
  covered: readonly Coverage[],
  missing: readonly Need[],
  required: readonly RequiredAccess[],
  grant: Grant,
  policy: FhirPolicy,
): Deny {
  const lacking = code === 'scope-insufficient' || code === 'credential-kind'
  const scopes = lacking ? smallestSet(required, grant, policy) : []
  const refusal =
    code === 'scope-insufficient' && scopes.length === 0 && anotherKindHelps(required, grant, policy)
      ? refuse('credential-kind', 'No scope that covers this request can be carried by this kind of credential.')
      : refuse(code, detail, scopes.length > 0 ? { scopes } : {})
  return { outcome: 'deny', refusal, covered, missing }
}

/** Nothing is offered either where only a wildcard would do, so whether anything would is asked apart. */
function anotherKindHelps(required: readonly RequiredAccess[], grant: Grant, policy: FhirPolicy): boolean {
  if (canBeCovered(required, grant, policy)) return false
  return KINDS.some((kind) => canBeCovered(required, { ...grant, kind }, policy))
}

const KINDS: readonly CredentialKind[] = ['bearer', 'api-key', 'service-key']

function printed({ smart, granted }: HeldScope): string {
  return smart.filters.length > 0 ? granted : `${smart.context}/${smart.type}.${smart.permissions}`
}

function describe(need: Need): string {
  const letters = [...need.permissions].join(' or ')
  const type = need.type === '*' ? 'every type' : need.type
  return need.parameter === undefined ? `${letters} on ${type}` : `${letters} on ${type}, which ${need.parameter} needs`
}
