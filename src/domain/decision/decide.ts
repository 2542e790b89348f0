// The decision: required access against what the grant is worth, default deny (docs/decisions/0001). Pure, so that the cache,
// `explain` and the tests all call this very function. What is limited (a patient's compartment, a granular filter) can only be
// let through where the limit can be proved; everything else is refused.

import type { Grant } from '../grant.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { type Authority, authorityOf, covering, type HeldScope } from './authority.ts'
import { type Coverage, clear, type Decision, type Deny } from './decision.ts'
import type { FhirPolicy } from './policy.ts'
import type { Need, RequiredAccess } from './required-access.ts'
import { smallestSet } from './smallest-set.ts'

/** `required` has one element for a single interaction, one for each entry of a Bundle: all must be covered. */
export function decide(required: readonly RequiredAccess[], grant: Grant, policy: FhirPolicy): Decision {
  const authority = authorityOf(grant, policy)
  const covered: Coverage[] = []
  // INVARIANT: what needs nothing is not covered by anything. An empty list must never read as "all covered".
  if (required.length === 0 || required.some(({ needs }) => needs.length === 0)) {
    return deny(NOTHING_ASKED, covered, [], required, grant, policy)
  }
  for (const access of required) {
    for (const need of access.needs) {
      const verdict = judge(need, access, authority)
      if (isCoverage(verdict)) covered.push(verdict)
      else return deny(verdict, covered, missingOf(required, authority), required, grant, policy)
    }
  }
  return clear(covered)
}

const NOTHING_ASKED: Shortfall = {
  code: 'scope-insufficient',
  detail: 'The request names no access that a scope could cover.',
}

function missingOf(required: readonly RequiredAccess[], authority: Authority): Need[] {
  return required.flatMap((access) => access.needs.filter((need) => !isCoverage(judge(need, access, authority))))
}

function isCoverage(verdict: Coverage | Shortfall): verdict is Coverage {
  return 'need' in verdict
}

type Shortfall = Pick<Refusal, 'code' | 'detail'>

function judge(need: Need, access: RequiredAccess, authority: Authority): Coverage | Shortfall {
  const scopes = covering(need, access.door, authority.held)
  const enough = scopes.find((scope) => scope.limit === undefined || isOwnPatient(need, access, scope))
  if (enough !== undefined) {
    return { need, scope: enough.granted, ...(enough.granted === printed(enough) ? {} : { worth: printed(enough) }) }
  }
  if (scopes.length > 0) return limited(need, access, scopes)
  if (covering(need, access.door, authority.wrongKind).length > 0) {
    return {
      code: 'credential-kind',
      detail: 'The scope that covers this request does not count when this kind of credential carries it.',
    }
  }
  if (covering(need, access.door, authority.lackPatient).length > 0) {
    return {
      code: 'launch-context-missing',
      detail: 'patient/ scopes count only with a launch patient, and the token names none. Launch with launch/patient.',
    }
  }
  return { code: 'scope-insufficient', detail: `No scope of the credential covers ${describe(need)}.` }
}

// A Patient is inside its own compartment by its id alone, so its own record needs no look at the answer.
function isOwnPatient(need: Need, access: RequiredAccess, scope: HeldScope): boolean {
  const { code } = access.interaction
  return (
    (code === 'read' || code === 'vread' || code === 'history-instance') &&
    need.type === 'Patient' &&
    need.id !== undefined &&
    scope.limit?.filters.length === 0 &&
    scope.limit.patients?.includes(need.id) === true
  )
}

function limited(need: Need, access: RequiredAccess, scopes: readonly HeldScope[]): Shortfall {
  if (scopes.every((scope) => namesAnotherPatient(need, access, scope))) {
    return { code: 'patient-mismatch', detail: 'The request names another patient than the one that the token is for.' }
  }
  const because =
    need.parameter === undefined ? `${access.interaction.code} on ${need.type}` : `the parameter ${need.parameter}`
  return {
    code: 'constraint-unenforceable',
    detail: `The scopes cover only a part of what ${because} would reach, and this gateway cannot yet cut the answer to it.`,
  }
}

function namesAnotherPatient(need: Need, access: RequiredAccess, { limit }: HeldScope): boolean {
  if (limit?.patients === undefined) return false
  const { interaction } = access
  if (need.type === 'Patient' && need.id !== undefined) return !limit.patients.includes(need.id)
  const compartment = 'compartment' in interaction ? interaction.compartment : undefined
  return compartment?.type === 'Patient' && !limit.patients.includes(compartment.id)
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
  return { outcome: 'deny', refusal: refuse(code, detail, scopes.length > 0 ? { scopes } : {}), covered, missing }
}

function printed({ smart, granted }: HeldScope): string {
  return smart.filters.length > 0 ? granted : `${smart.context}/${smart.type}.${smart.permissions}`
}

function describe(need: Need): string {
  const letters = [...need.permissions].join(' or ')
  const type = need.type === '*' ? 'every type' : need.type
  return need.parameter === undefined ? `${letters} on ${type}` : `${letters} on ${type}, which ${need.parameter} needs`
}
