// Contract §4: among scopes that this credential's kind may carry, in the context that the caller already uses, fewest scopes,
// then fewest letters, no wildcard, alphabetical; none where none would help.

import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/domain/decision/decide.ts'
import type { FhirPolicy } from '../../../src/domain/decision/policy.ts'
import type { RequiredAccess } from '../../../src/domain/decision/required-access.ts'
import { smallestSet } from '../../../src/domain/decision/smallest-set.ts'
import type { Grant, GrantFacts } from '../../../src/domain/grant.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { bundleOf, decideLine, readLine, verdictOn } from '../../support/fhir-requests.ts'
import { catalogueOf, grantWith, policyWith, worth } from '../../support/grants.ts'

const policy = policyWith()

function offered(line: string, grant: Grant, on: FhirPolicy = policy, body?: string): readonly string[] {
  const request = readLine(line, body === undefined ? {} : { body })
  if (isRefusal(request)) throw new Error(request.detail)
  return smallestSet(request.required, grant, on)
}

describe('SMART scopes', () => {
  test.each<[string, string[]]>([
    ['GET /Observation/1', ['system/Observation.r']],
    ['GET /Observation', ['system/Observation.s']],
    ['POST /Observation/_search', ['system/Observation.s']],
    ['POST /Observation', ['system/Observation.c']],
    ['PUT /Observation?_id=1', ['system/Observation.us']],
    ['DELETE /Observation?_id=1', ['system/Observation.ds']],
    ['GET /?_type=Patient,Observation', ['system/Observation.s', 'system/Patient.s']],
    // An include may be read or searched: r, unless s is there anyway.
    ['GET /Observation?_include=Observation:patient', ['system/Observation.s', 'system/Patient.r']],
    ['GET /Observation?_include=Observation:has-member:Observation', ['system/Observation.s']],
    ['GET /Observation?_include=Observation:patient&patient.name=x', ['system/Observation.s', 'system/Patient.s']],
    ['GET /Patient?_revinclude=Provenance:target', ['system/Patient.s', 'system/Provenance.s']],
    ['GET /Observation?_list=1', ['system/List.r', 'system/Observation.s']],
    // No wildcard is offered, so nothing is where only one would do.
    ['GET /', []],
    ['GET /_history', []],
    ['GET /Patient/1/*', []],
    ['GET /Observation?_filter=x', []],
    ['POST /Subscription', []],
  ])('%s: %j', (line, expected) => expect(offered(line, grantWith(''))).toEqual(expected))

  test('a transaction is offered the union of its entries, each type once, letters in order', () => {
    const body = bundleOf('transaction', [
      { request: { method: 'GET', url: 'Patient/1' } },
      { request: { method: 'GET', url: 'Patient?name=x' } },
      { request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient' } },
      { request: { method: 'DELETE', url: 'Condition/1' } },
    ])
    expect(offered('POST /', grantWith(''), policy, body)).toEqual(['system/Condition.d', 'system/Patient.crs'])
  })

  test.each<[string, Partial<GrantFacts>, string]>([
    // The context that the caller uses.
    ['patient/Patient.r', {}, 'patient'],
    ['user/Patient.r', { patients: ['p1'] }, 'user'],
    ['system/Patient.r', { patients: ['p1'], fhirUser: 'Practitioner/1' }, 'system'],
    ['system/Patient.r patient/Patient.r', {}, 'patient'],
    // Otherwise what the token knows of.
    ['', { patients: ['p1'], fhirUser: 'Practitioner/1' }, 'patient'],
    ['openid', { fhirUser: 'Practitioner/1' }, 'user'],
    ['launch/patient', {}, 'system'],
    // A malformed scope uses no context.
    ['patient/Patient.sr', {}, 'system'],
  ])('with %j and %j: %s/', (scopes, facts, context) => {
    expect(offered('GET /Observation/1', grantWith(scopes, facts))).toEqual([`${context}/Observation.r`])
  })

  test("a patient's part of a type cannot answer a question about all of it", () => {
    const grant = grantWith('patient/Observation.s', { patients: ['p1'] })
    expect(offered('GET /Observation?patient.name=x', grant)).toEqual([])
    const user = grantWith('user/Observation.s', { fhirUser: 'Patient/p1' })
    expect(offered('GET /Observation?patient.name=x', user)).toEqual([])
  })

  test('nothing in a context that counts for nothing on the route', () => {
    const user = grantWith('user/Observation.r', { fhirUser: 'Practitioner/1' })
    expect(offered('GET /Patient/1', user, policyWith({ userScopes: 'refuse' }))).toEqual([])
    expect(offered('GET /Patient/1', user, policyWith({ userScopes: 'fhirUser' }))).toEqual([])
    expect(offered('GET /Patient/1', user)).toEqual(['user/Patient.r'])
  })

  test('nothing that the credential may not carry', () => {
    expect(offered('GET /Patient/1', grantWith('', { kind: 'api-key' }))).toEqual([])
    const catalogue = catalogueOf({ 'system/Patient.r': ['service-key'] })
    expect(offered('GET /Patient/1', grantWith(''), policyWith({ catalogue }))).toEqual([])
    expect(offered('GET /Patient/1', grantWith(''), policyWith({ smart: false }))).toEqual([])
  })
})

describe('product scopes', () => {
  const kinds = ['api-key', 'oauth2']
  const catalogue = catalogueOf({
    'a.all': kinds,
    'b.read': kinds,
    'c.read': kinds,
    'd.patient': kinds,
    'e.write': kinds,
    'f.push': kinds,
    'g.lab': kinds,
    'h.service': ['service-key'],
    'i.condition': kinds,
  })
  const products = policyWith({
    smart: false,
    catalogue,
    worths: [
      worth('h.service', 'system/*.r'),
      worth('g.lab', 'system/Observation.r?category=lab'),
      worth('f.push', 'system/Device.cu', ['bundle']),
      worth('e.write', 'system/Encounter.cud'),
      worth('d.patient', 'system/Patient.r'),
      worth('i.condition', 'system/Condition.rs'),
      worth('c.read', 'system/Observation.rs'),
      worth('b.read', 'system/Observation.rs'),
    ],
  })
  const key = grantWith('', { kind: 'api-key' })
  const batch = (...urls: string[]): string =>
    bundleOf(
      'batch',
      urls.map((url) => ({ request: { method: 'GET', url } })),
    )

  test('fewest scopes, then fewest letters, then the alphabet', () => {
    expect(offered('GET /Observation/1', key, products)).toEqual(['b.read'])
    expect(offered('GET /Patient/1', key, products)).toEqual(['d.patient'])
    const withAll = policyWith({ ...products, worths: [...products.worths, worth('a.all', 'system/*.cruds')] })
    expect(offered('GET /Observation/1', key, withAll)).toEqual(['b.read'])
    expect(offered('POST /', key, withAll, batch('Observation/1', 'Patient/1'))).toEqual(['a.all'])
  })

  test('two or three where one does not do', () => {
    expect(offered('POST /', key, products, batch('Observation/1', 'Patient/1'))).toEqual(['b.read', 'd.patient'])
    expect(offered('POST /', key, products, batch('Observation/1', 'Patient/1', 'Condition/1'))).toEqual([
      'b.read',
      'd.patient',
      'i.condition',
    ])
  })

  test('none where none would help: wrong kind, wrong door, a filter, or nobody', () => {
    expect(offered('GET /Device/1', key, products)).toEqual([])
    expect(offered('PUT /Device/1', key, products)).toEqual([])
    expect(offered('GET /Medication/1', key, products)).toEqual([])
    const onlyLab = policyWith({
      smart: false,
      catalogue,
      worths: [worth('g.lab', 'system/Observation.r?category=lab')],
    })
    expect(offered('GET /Observation/1', key, onlyLab)).toEqual([])
  })

  test('a bearer token is offered SMART scopes first, and a key product scopes only', () => {
    const both = policyWith({ ...products, smart: true })
    expect(offered('GET /Observation/1', grantWith(''), both)).toEqual(['system/Observation.r'])
    expect(offered('GET /Observation/1', key, both)).toEqual(['b.read'])
    expect(offered('GET /', grantWith(''), policyWith({ ...both, worths: [worth('a.all', 'system/*.rs')] }))).toEqual([
      'a.all',
    ])
  })

  test('thousands of entries are looked at once for each kind of access', () => {
    const entries = Array.from({ length: 100 }, (_, at) => `Observation/${at}`)
    expect(offered('POST /', key, products, batch(...entries))).toEqual(['b.read'])
  })
})

test('what is offered would do, and nothing less of it would', () => {
  const lines = [
    'GET /Observation/1',
    'GET /?_type=Patient,Observation',
    'GET /Observation?_include=Observation:patient&_revinclude=Provenance:target',
    'PUT /Observation?subject:Patient.name=x',
    'GET /Patient?_has:Observation:patient:performer:Practitioner.name=x',
  ]
  for (const line of lines) {
    const scopes = offered(line, grantWith(''))
    expect(verdictOn(line, grantWith(scopes), policy)).toBe('forward')
    for (const left of scopes) {
      expect(verdictOn(line, grantWith(scopes.filter((scope) => scope !== left)), policy)).toBe('scope-insufficient')
      const [head, letters] = left.split('.') as [string, string]
      for (const letter of letters.length > 1 ? letters : '') {
        const fewer = scopes.map((scope) => (scope === left ? `${head}.${letters.replace(letter, '')}` : scope))
        expect(verdictOn(line, grantWith(fewer), policy)).toBe('scope-insufficient')
      }
    }
  }
})

describe('where scopes of one context count', () => {
  const needs = (type: string): RequiredAccess['needs'] =>
    ['r', 's'].map((permissions) => ({ type, permissions, role: 'own' }))
  const exporting = (type: string): RequiredAccess => ({
    door: 'bulk',
    interaction: { code: 'operation', name: '$export' },
    needs: needs(type),
    contexts: ['system'],
  })

  test.each<[string, Partial<GrantFacts>]>([
    ['patient/Patient.rs', { patients: ['p1'] }],
    ['user/Patient.rs', { fhirUser: 'Practitioner/1' }],
    ['', { patients: ['p1'], fhirUser: 'Practitioner/1' }],
  ])('%j %j is offered none of another', (scopes, facts) => {
    expect(smallestSet([exporting('Patient')], grantWith(scopes, facts), policy)).toEqual(['system/Patient.rs'])
  })

  test('a key is told that no key will do, though only a wildcard would', () => {
    const code = (grant: Grant): string | undefined => {
      const decision = decide([exporting('*')], grant, policy)
      return decision.outcome === 'deny' ? decision.refusal.code : undefined
    }
    expect(code(grantWith('', { kind: 'api-key' }))).toBe('credential-kind')
    expect(code(grantWith('patient/*.rs', { patients: ['p1'] }))).toBe('scope-insufficient')
    expect(code(grantWith('system/*.rs'))).toBeUndefined()
  })
})

test('only a refusal for want of scopes offers some', () => {
  const extras = (line: string, grant: Grant): unknown => {
    const decision = decideLine(line, grant, policy)
    return isRefusal(decision) || decision.outcome !== 'deny' ? undefined : decision.refusal.extras
  }
  expect(extras('GET /Observation/1', grantWith('user/Patient.r'))).toEqual({ scopes: ['user/Observation.r'] })
  expect(extras('GET /Observation?_filter=x', grantWith('user/Patient.r'))).toEqual({})
  expect(extras('GET /Observation/1', grantWith('patient/*.r'))).toEqual({})
  expect(extras('GET /Patient/p2', grantWith('patient/*.r', { patients: ['p1'] }))).toEqual({})
  const limited = grantWith('system/Observation.s system/Patient.s?active=true')
  expect(extras('GET /Observation?patient.name=x', limited)).toEqual({})
})
