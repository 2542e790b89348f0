// Requests that differ in one thing only, asked one after the other through one cache: what its key forgot to tell apart would show.

import { describe, expect, test } from 'vitest'
import { decide } from '../../src/domain/decision/decide.ts'
import type { Decision } from '../../src/domain/decision/decision.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type Decide, rememberDecisions } from '../../src/server/decision-cache.ts'
import { readLine } from '../support/fhir-requests.ts'
import { grantWith, policyWith } from '../support/grants.ts'

const LINES = [
  // Ids, and their relation to the token.
  'GET /Patient/p1',
  'GET /Patient/p2',
  'GET /Patient/p3',
  'PUT /Patient/p1',
  'DELETE /Patient/p1',
  'GET /Patient/p1/_history',
  'GET /Patient',
  'GET /Observation/p1',
  // Compartments.
  'GET /Observation',
  'GET /Patient/p1/Observation',
  'GET /Patient/p2/Observation',
  'GET /Patient/p3/Observation',
  'GET /Encounter/p1/Observation',
  // The same types, looked at in other ways.
  'GET /Observation?patient.name=x',
  'GET /Observation?_include=Observation:patient',
  'GET /Observation?_revinclude=Patient:link',
  'GET /Observation?_include=Observation:subject',
  'GET /Observation?_include=Observation:subject:Patient&_include=Observation:subject:Group&_include=Observation:subject:Device&_include=Observation:subject:Location',
  'GET /Observation?_include=*',
  'GET /Observation?_include=Observation:subject:Nothing',
  'GET /Observation?_revinclude=*',
  'GET /Observation?_filter=x',
  'GET /Observation?_list=1',
  'GET /Observation?list.code=x',
  'PUT /Observation?_id=1',
  'PUT /Observation?_id=1&patient.name=x',
  'GET /Observation/_history',
]

const GRANTS = [
  grantWith('patient/*.cruds', { patients: ['p1'] }),
  grantWith('patient/*.cruds', { patients: ['p1', 'p2'] }),
  grantWith('user/*.cruds', { fhirUser: 'Patient/p1', patients: ['p1', 'p2'] }),
  grantWith('user/*.cruds patient/Patient.r', { fhirUser: 'Patient/p2', patients: ['p1', 'p2'] }),
  grantWith('system/Observation.cruds system/Patient.r'),
  grantWith('system/Observation.cruds system/Patient.s'),
  grantWith('system/Observation.s patient/Patient.s', { patients: ['p1'] }),
  grantWith('system/Observation.cruds system/List.r'),
  grantWith('system/*.r system/Observation.s'),
]

const cache = (generation = 1, now = () => 0): { decide: Decide; lookups: string[] } => {
  const lookups: string[] = []
  return { decide: rememberDecisions(decide, { generation, now, onLookup: (result) => lookups.push(result) }), lookups }
}

function decided(by: Decide, line: string, grant: (typeof GRANTS)[number], policy = policyWith()): Decision {
  const read = readLine(line)
  if (isRefusal(read)) throw new Error(`${line}: ${read.detail}`)
  return by(read.required, grant, policy)
}

/** Outcome, what was named as covering it, and the refusal; ids of the first request asked may stand for others. */
function told(decision: Decision): unknown {
  const covered = decision.covered.map(({ need: { id: _, ...need }, scope, limited }) => ({ need, scope, limited }))
  const refusal = decision.outcome === 'deny' ? { ...decision.refusal } : undefined
  return { outcome: decision.outcome, covered, refusal }
}

describe.each(GRANTS.map((grant, at) => [at, grant.scopes.join(' '), grant] as const))('%i: %s', (_, __, grant) => {
  test.each([
    ['in order', LINES],
    ['in reverse', [...LINES].reverse()],
    ['twice', [...LINES, ...LINES]],
  ])('%s', (_, lines) => {
    const { decide: remembered } = cache()
    for (const line of lines)
      expect(told(decided(remembered, line, grant)), line).toEqual(told(decided(decide, line, grant)))
  })
})

test('all grants through one cache', () => {
  const { decide: remembered } = cache()
  for (const line of LINES) {
    for (const grant of GRANTS)
      expect(told(decided(remembered, line, grant)), line).toEqual(told(decided(decide, line, grant)))
  }
})

test('routes are told apart', () => {
  const { decide: remembered } = cache()
  const grant = grantWith('user/*.r')
  expect(decided(remembered, 'GET /Patient/p1', grant, policyWith({ route: 'a' })).outcome).toBe('forward')
  const refusing = policyWith({ route: 'b', userScopes: 'refuse' })
  expect(decided(remembered, 'GET /Patient/p1', grant, refusing).outcome).toBe('deny')
})

test('a question that was asked before is answered from memory, until the grant ends', () => {
  let now = 0
  const { decide: remembered, lookups } = cache(1, () => now)
  const grant = grantWith('system/*.r', { expiresAt: 100 })
  for (const time of [0, 99_999, 100_000, 100_001]) {
    now = time
    decided(remembered, 'GET /Patient/p1', grant)
  }
  expect(lookups).toEqual(['miss', 'hit', 'miss', 'miss'])
})
