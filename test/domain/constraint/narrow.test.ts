// Narrowing as tables: the clause cases of spec §3.3 row by row, the unions of §3.4, and the request variants of §4.5 under a patient/
// scope. What goes upstream is what the client asked, and what was appended.

import { describe, expect, test } from 'vitest'
import { Constraint } from '../../../src/domain/constraint/constraint.ts'
import { type Narrowed, narrow } from '../../../src/domain/constraint/narrow.ts'
import { authorityOf } from '../../../src/domain/decision/authority.ts'
import { parseRequestTarget, printQuery } from '../../../src/domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../../../src/domain/refusal.ts'
import { grantWith, policyWith } from '../../support/grants.ts'

const policy = policyWith()

function narrowed(
  type: string,
  query: string,
  scopes: string,
  patients: readonly string[] = ['P'],
): Narrowed | Refusal {
  const { held } = authorityOf(grantWith(scopes, { patients }), policy)
  const limits = new Constraint(held, 'rest', policy).limitsOn(type, 's')
  if (limits === undefined) throw new Error('not limited')
  const target = parseRequestTarget(`/x?${query.replaceAll('\\', '%5C')}`)
  if (isRefusal(target)) throw new Error(target.detail)
  // As a search is read: what has no value is ignored.
  const given = target.parameters.filter(({ value }) => value !== '')
  return narrow(given, limits, { type, definitions: policy.definitions, ownBases: policy.ownBases })
}

/** The query that goes upstream, or the code of the refusal. */
function upstream(type: string, query: string, scopes: string, patients?: readonly string[]): string {
  const result = narrowed(type, query, scopes, patients)
  return isRefusal(result) ? result.code : decodeURIComponent(printQuery(result.parameters))
}

describe('spec §3.3: a client’s clauses and the filter of a scope', () => {
  const A = 'category=s|A'
  const B = 'category=s|B'
  test.each<[row: number, query: string, filter: string, forwarded: string]>([
    [1, A, A, A],
    [2, 'category=A', A, `category=A&${A}`],
    [3, A, 'category=A', A],
    [4, 'category=s|', A, `category=s|&${A}`],
    [5, A, 'category=s|', A],
    [6, 'category=|A', A, `category=|A&${A}`],
    [7, A, B, `${A}&${B}`],
    [8, 'category=A,B', 'category=A', 'category=A,B&category=A'],
    [9, 'category=A', 'category=A,B', 'category=A'],
    [10, 'category=A,B', 'category=A,B,C', 'category=A,B'],
    [11, 'category=A&category=X', 'category=A', 'category=A&category=X'],
    [12, 'category=A', 'category=A&category=B', 'category=A&category=B'],
    [13, '', A, A],
    [14, 'category=a\\,b', 'category=a,b', 'category=a\\,b&category=a,b'],
    [15, 'category:not=X', A, `category:not=X&${A}`],
    [16, 'category:missing=true', A, `category:missing=true&${A}`],
    [17, 'category:missing=false', A, `category:missing=false&${A}`],
    [18, 'category:text=lab', A, `category:text=lab&${A}`],
    [19, 'category:in=VS', A, `category:in=VS&${A}`],
    [20, 'category:not-in=VS', A, `category:not-in=VS&${A}`],
    [20, 'category:below=s|A', A, `category:below=s|A&${A}`],
    [20, 'category:above=s|A', A, `category:above=s|A&${A}`],
    // 21 to 23: a scope with a modifier grants nothing, so there is nothing to narrow by.
    [24, 'code=x', A, `code=x&${A}`],
    [25, 'category=LAB', 'category=lab', 'category=LAB&category=lab'],
    // 26: refused before; see the decision tables.
    [27, 'identifier:of-type=s|c|v', 'identifier=v', 'identifier:of-type=s|c|v&identifier=v'],
    [28, 'code-value-quantity=x$5', 'code=x', 'code-value-quantity=x$5&code=x'],
    [30, 'category=', A, A],
  ])('%i: %s within %s', (_, query, filter, forwarded) => {
    expect(upstream('Observation', query, `user/Observation.rs?${filter}`)).toBe(forwarded)
  })

  test('a parameter given twice is two clauses, each of which may imply', () => {
    expect(upstream('Observation', `code=x&category=B&${A}`, `user/Observation.rs?${A}`)).toBe(`code=x&category=B&${A}`)
  })
})

describe('spec §3.4: a union of scopes', () => {
  const scopes = (...filters: string[]): string => filters.map((filter) => `user/Observation.rs${filter}`).join(' ')
  test.each<[scopes: string, query: string, forwarded: string, exact: boolean]>([
    [scopes('?category=s|A', '?category=s|B'), '', 'category=s|A,s|B', true],
    [scopes('?category=a,b', '?category=b,c'), '', 'category=a,b,c', true],
    [scopes('?category=a\\,b'.replace('\\', '%5C'), '?category=c'), '', 'category=a\\,b,c', true],
    [scopes('?code=x&category=A', '?code=x&category=B'), '', 'code=x&category=A,B', true],
    [scopes('?category=A&code=x'), '', 'category=A&code=x', true],
    [scopes('?category=A', '?code=x'), '', '', false],
    // What all name is a coarser filter that is safe.
    [scopes('?category=A', '?category=B&code=x'), '', 'category=A,B', false],
    [scopes('?category=A&code=x', '?category=B&code=y'), '', 'category=A,B&code=x,y', false],
    [scopes('?category=A', '?category=A&code=x'), '', 'category=A', true],
    [scopes('?category=A', '?code=x'), 'category=A', 'category=A', true],
    [scopes('?category=A', '?code=x'), 'code=x', 'code=x', true],
    ['patient/Observation.rs user/Observation.rs?category=A', '', '', false],
    ['patient/Observation.rs?category=A user/Observation.rs?category=A', '', 'category=A', true],
    ['patient/Observation.rs?category=A user/Observation.rs?category=B', '', 'category=A,B', false],
    ['patient/Observation.rs?category=A patient/Observation.rs?category=B', '', 'patient=Patient/P&category=A,B', true],
    ['patient/Observation.rs?category=A patient/Observation.rs?code=x', '', 'patient=Patient/P', false],
    ['patient/Observation.rs?category=A patient/Observation.rs', '', 'patient=Patient/P', true],
    // With what all have in common, the search lies within one of them.
    [
      'patient/Observation.rs?category=A patient/Observation.rs?code=x',
      'category=A',
      'category=A&patient=Patient/P',
      true,
    ],
    ['patient/Observation.rs?category=A patient/Observation.rs?code=x', 'code=x', 'code=x&patient=Patient/P', true],
    ['patient/Observation.rs?category=A patient/Observation.rs?code=x', 'code=y', 'code=y&patient=Patient/P', false],
    ['patient/Observation.rs?category=A user/Observation.rs?code=x', 'category=A', 'category=A', false],
  ])('%s, asked %j', (list, query, forwarded, exact) => {
    const result = narrowed('Observation', query, list)
    if (isRefusal(result)) throw new Error(result.detail)
    // Which of two clauses stands first means nothing.
    const sorted = (text: string): string[] => text.split('&').sort()
    const values = (text: string): string[][] => sorted(text).map((clause) => clause.split(/[=,]/).sort())
    expect(values(decodeURIComponent(printQuery(result.parameters)))).toEqual(values(forwarded))
    expect(result.exact).toBe(exact)
  })
})

describe('spec §4.5: under a patient/ scope with the launch patient P', () => {
  const own = 'https://gateway.example/fhir/Patient/P'
  test.each<[type: string, query: string, forwarded: string]>([
    ['Patient', '', '_id=P'],
    ['Patient', '_id=P', '_id=P'],
    ['Patient', '_id=P,Q', '_id=P'],
    ['Patient', '_id=Q', 'patient-mismatch'],
    ['Patient', 'name=x', 'name=x&_id=P'],
    ['Patient', 'identifier=s|v', 'identifier=s|v&_id=P'],
    ['Patient', 'link=Patient/Q', 'link=Patient/Q&_id=P'],
    ['Observation', '', 'patient=Patient/P'],
    ['Observation', 'patient=P', 'patient=P'],
    ['Observation', 'patient=Patient/P', 'patient=Patient/P'],
    ['Observation', `patient=${own}`, 'patient=Patient/P'],
    ['Observation', 'patient=http://upstream.example/fhir/Patient/P', 'patient=Patient/P'],
    [
      'Observation',
      'patient=http://elsewhere.example/fhir/Patient/P',
      'patient=http://elsewhere.example/fhir/Patient/P&patient=Patient/P',
    ],
    ['Observation', 'subject=Patient/P', 'subject=Patient/P'],
    ['Observation', 'subject:Patient=P', 'subject:Patient=P'],
    ['Observation', 'patient:Patient=P', 'patient:Patient=P'],
    ['Observation', 'subject=P', 'subject=P&patient=Patient/P'],
    ['Observation', 'subject=Group/P', 'subject=Group/P&patient=Patient/P'],
    ['Observation', 'patient=P,Q', 'patient=P'],
    ['Observation', 'patient=Patient/Q,Patient/P', 'patient=Patient/P'],
    ['Observation', 'subject=Patient/P,Patient/Q', 'subject=Patient/P'],
    ['Observation', 'patient=P&patient=Q', 'patient-mismatch'],
    ['Observation', 'patient=', 'patient=Patient/P'],
    ['Observation', 'patient:not=P', 'patient:not=P&patient=Patient/P'],
    ['Observation', 'patient:missing=false', 'patient:missing=false&patient=Patient/P'],
    ['Observation', 'patient:identifier=s|v', 'patient:identifier=s|v&patient=Patient/P'],
    ['Observation', 'patient=Q', 'patient-mismatch'],
    ['Observation', 'subject=Patient/Q', 'patient-mismatch'],
    ['Observation', 'performer=Patient/P', 'performer=Patient/P&patient=Patient/P'],
    ['Observation', 'performer=Patient/Q', 'performer=Patient/Q&patient=Patient/P'],
    ['Condition', 'subject=Patient/P', 'subject=Patient/P'],
    ['Condition', 'subject=Patient/Q', 'patient-mismatch'],
    ['Encounter', 'subject=Patient/Q', 'patient-mismatch'],
    ['Coverage', 'beneficiary=P', 'beneficiary=P'],
    ['Coverage', 'payor=Patient/P', 'payor=Patient/P&patient=Patient/P'],
    // Types without a parameter `patient`.
    ['AdverseEvent', '', 'subject=Patient/P'],
    ['SupplyRequest', '', 'subject=Patient/P'],
    ['Schedule', '', 'actor=Patient/P'],
    ['Appointment', 'actor=Patient/P', 'actor=Patient/P'],
    ['Appointment', 'practitioner=Practitioner/x', 'practitioner=Practitioner/x&patient=Patient/P'],
    // Outside the compartment, with a link to a patient.
    ['Device', '', 'patient=Patient/P'],
    ['Task', 'subject=Patient/P', 'subject=Patient/P'],
    ['Task', 'focus=Patient/P', 'focus=Patient/P&patient=Patient/P'],
  ])('%s?%s', (type, query, forwarded) => {
    expect(upstream(type, query, `patient/${type}.rs`)).toBe(forwarded)
  })

  test('several linked patients are one list', () => {
    expect(upstream('Observation', '', 'patient/Observation.rs', ['P', 'Q'])).toBe('patient=Patient/P,Patient/Q')
    expect(upstream('Patient', '', 'patient/Patient.rs', ['P', 'Q'])).toBe('_id=P,Q')
    expect(upstream('Observation', 'patient=Q,R', 'patient/Observation.rs', ['P', 'Q'])).toBe('patient=Q')
  })

  test('where another scope reaches further, no clause of the client’s is touched', () => {
    expect(upstream('Observation', 'patient=Q', 'patient/Observation.rs user/Observation.rs?category=A')).toBe(
      'patient=Q',
    )
    expect(upstream('Observation', 'patient=P,Q', 'patient/Observation.rs user/Observation.rs?category=A')).toBe(
      'patient=P,Q',
    )
  })
})
