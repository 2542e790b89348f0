import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/domain/decision/decide.ts'
import { requiredAccess } from '../../../src/domain/decision/required-access.ts'
import type { Grant, GrantFacts } from '../../../src/domain/grant.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { bundleOf, decideLine, interactionOf, verdictOn } from '../../support/fhir-requests.ts'
import { catalogueOf, grantWith, policyWith, worth } from '../../support/grants.ts'

const policy = policyWith()
/** Within limits: the answer is cut to them where that can be done, and the request refused where it cannot. */
const OWN = /^(?:forward|guard)$/
const LIMITED = /^(?:constraint-unenforceable|guard|narrow-guard)$/
const launched = (scopes: string, facts: Partial<GrantFacts> = {}): Grant =>
  grantWith(scopes, { patients: ['p1'], ...facts })

describe('default deny', () => {
  test('what asks for nothing is covered by nothing', () => {
    const everything = grantWith('system/*.cruds user/*.cruds')
    expect(decide([], everything, policy)).toMatchObject({ outcome: 'deny', refusal: { code: 'scope-insufficient' } })
    const read = interactionOf('GET /Patient/1')
    if (isRefusal(read) || read.code !== 'read') throw new Error('no read')
    const access = { ...requiredAccess(read, 'rest'), needs: [] }
    expect(decide([access], everything, policy).outcome).toBe('deny')
    expect(decide([requiredAccess(read, 'rest'), access], everything, policy).outcome).toBe('deny')
  })

  test.each([
    '',
    'openid fhirUser launch/patient offline_access profile online_access',
    'patient/Observation.r-only user/Observation.sr system/Observation.',
    'https://example.org/user/Observation.r',
    'cms.fhir.r4.read',
    'USER/*.cruds',
  ])('without a resource scope nothing is permitted: %j', (scopes) => {
    const grant = launched(scopes, { fhirUser: 'Practitioner/pr1' })
    for (const line of ['GET /Observation/1', 'GET /Patient/p1', 'GET /Observation', 'POST /Observation', 'GET /']) {
      expect(verdictOn(line, grant, policy)).toBe('scope-insufficient')
    }
  })

  test('SMART scopes count for nothing where the route does not take them', () => {
    expect(verdictOn('GET /Patient/1', grantWith('system/*.cruds'), policyWith({ smart: false }))).toBe(
      'scope-insufficient',
    )
  })
})

describe('contexts', () => {
  test('patient/ without a launch patient grants nothing', () => {
    for (const scopes of ['patient/*.cruds', 'patient/Patient.r', 'patient/Patient.rs?_id=p1']) {
      expect(verdictOn('GET /Patient/p1', grantWith(scopes), policy)).toBe('launch-context-missing')
    }
    // Only where the scope would have covered the request.
    expect(verdictOn('GET /Observation/1', grantWith('patient/Patient.r'), policy)).toBe('scope-insufficient')
    expect(verdictOn('DELETE /Patient/p1', grantWith('patient/Patient.r'), policy)).toBe('scope-insufficient')
    // A user is no launch patient.
    const user = grantWith('patient/*.cruds', { fhirUser: 'Patient/p1' })
    expect(verdictOn('GET /Patient/p1', user, policy)).toBe('launch-context-missing')
  })

  test.each(['GET /Patient/p1', 'HEAD /Patient/p1', 'GET /Patient/p1/_history', 'GET /Patient/p1/_history/3'])(
    '%s: the own Patient may be read',
    (line) => {
      expect(verdictOn(line, launched('patient/Patient.r'), policy)).toMatch(OWN)
      expect(verdictOn(line, launched('patient/*.read'), policy)).toMatch(OWN)
      expect(verdictOn(line, grantWith('user/Patient.r', { fhirUser: 'Patient/p1' }), policy)).toMatch(OWN)
      expect(verdictOn(line, launched('patient/Patient.s'), policy)).toBe('scope-insufficient')
    },
  )

  test('one of several linked patients is as own as another', () => {
    const grant = launched('patient/Patient.r', { patients: ['p1', 'p2'] })
    expect(verdictOn('GET /Patient/p2', grant, policy)).toMatch(OWN)
    expect(verdictOn('GET /Patient/p3', grant, policy)).toBe('patient-mismatch')
  })

  test.each([
    'GET /Patient/p2',
    'GET /Patient/p12',
    'GET /Patient/p',
    'GET /Patient/P1',
    'GET /Patient/p2/_history',
    'GET /Patient/p2/_history/1',
    'PUT /Patient/p2',
    'DELETE /Patient/p2',
    'PATCH /Patient/p2',
    'GET /Patient/p2/Observation',
    'POST /Patient/p2/Observation/_search',
    'GET /Patient/p2/*',
  ])('%s names another patient', (line) => {
    expect(verdictOn(line, launched('patient/*.cruds'), policy)).toBe('patient-mismatch')
    const user = grantWith('user/*.cruds', { fhirUser: 'Patient/p1' })
    expect(verdictOn(line, user, policy)).toBe('patient-mismatch')
  })

  test.each([
    'GET /Observation/1',
    'GET /Observation',
    'GET /Patient',
    'GET /Patient?_id=p1',
    'GET /Patient/_history',
    'PUT /Patient/p1',
    'PATCH /Patient/p1',
    'DELETE /Patient/p1',
    'POST /Patient',
    'POST /Observation',
    'GET /Observation/1/_history',
    'GET /Patient/p1/Observation',
    'GET /',
    'GET /_history',
    'GET /?_type=Patient',
  ])('%s under patient/ is held to the limits', (line) => {
    expect(verdictOn(line, launched('patient/*.cruds'), policy)).toMatch(LIMITED)
    const user = grantWith('user/*.cruds', { fhirUser: 'Patient/p1' })
    expect(verdictOn(line, user, policy)).toMatch(LIMITED)
  })

  test('an unlimited scope of another context covers on its own', () => {
    const grant = launched('user/*.read patient/*.read system/*.read', { fhirUser: 'Patient/p1' })
    expect(verdictOn('GET /Patient/p9/_history/1', grant, policy)).toBe('forward')
  })

  test('contexts are never mixed: the letters of one do not join the reach of another', () => {
    const grant = launched('patient/Observation.cud user/Observation.s system/Patient.rs')
    expect(verdictOn('GET /Observation/1', grant, policy)).toBe('scope-insufficient')
    expect(verdictOn('DELETE /Observation/1', grant, policy)).toMatch(LIMITED)
    expect(verdictOn('GET /Observation', grant, policy)).toBe('forward')
    expect(verdictOn('PUT /Observation?_id=1', grant, policy)).toMatch(LIMITED)
  })

  test.each<[FhirUserRule, string | undefined, string]>([
    ['delegate', undefined, 'forward'],
    ['delegate', 'Practitioner/pr1', 'forward'],
    ['delegate', 'RelatedPerson/r1', 'forward'],
    ['delegate', 'Patient/p1', 'limited'],
    ['fhirUser', undefined, 'scope-insufficient'],
    ['fhirUser', 'Practitioner/pr1', 'scope-insufficient'],
    ['fhirUser', 'Patient/p1', 'limited'],
    ['refuse', undefined, 'scope-insufficient'],
    ['refuse', 'Practitioner/pr1', 'scope-insufficient'],
    ['refuse', 'Patient/p1', 'scope-insufficient'],
  ])('userScopes %s for %s: %s', (userScopes, fhirUser, expected) => {
    const grant = grantWith('user/Observation.r', fhirUser === undefined ? {} : { fhirUser })
    const verdict = verdictOn('GET /Observation/1', grant, policyWith({ userScopes }))
    expect(LIMITED.test(verdict) ? 'limited' : verdict).toBe(expected)
    expect(verdictOn('GET /Observation/1', grantWith('system/Observation.r'), policyWith({ userScopes }))).toBe(
      'forward',
    )
  })
})

type FhirUserRule = 'delegate' | 'fhirUser' | 'refuse'

describe('granular scopes', () => {
  test.each(['GET /Observation/1', 'GET /Observation', 'GET /Observation?category=lab', 'POST /Observation/_search'])(
    '%s: a granular scope never widens',
    (line) => {
      expect(verdictOn(line, grantWith('system/Observation.rs?category=lab'), policy)).toMatch(LIMITED)
      expect(verdictOn(line, grantWith('system/*.rs?_security=N'), policy)).toMatch(LIMITED)
      expect(verdictOn(line, grantWith('system/Observation.rs?category:in=x'), policy)).toBe('scope-insufficient')
      expect(verdictOn(line, grantWith('system/Observation.rs?category=lab system/Observation.rs'), policy)).toBe(
        'forward',
      )
    },
  )

  test('a filter on Patient stands in the way even of the own record', () => {
    expect(verdictOn('GET /Patient/p1', launched('patient/Patient.r?active=true'), policy)).toMatch(LIMITED)
  })

  test('a plain patient/ scope beside it still opens the own record, in either order', () => {
    for (const scopes of [
      'patient/Patient.r?active=true patient/Patient.r',
      'patient/Patient.r patient/Patient.r?active=true',
      'patient/*.rs?_security=N patient/*.rs',
    ]) {
      expect(verdictOn('GET /Patient/p1', launched(scopes), policy)).toMatch(OWN)
    }
  })
})

describe('reaches need scopes of their own', () => {
  test.each<[string, string, string]>([
    ['GET /Observation?subject:Patient.name=x', 'user/Observation.rs', 'scope-insufficient'],
    ['GET /Observation?subject:Patient.name=x', 'user/Observation.rs user/Patient.rs', 'forward'],
    ['GET /Observation?subject:Patient.name=x', 'user/Observation.rs user/Patient.r', 'scope-insufficient'],
    [
      'GET /Observation?patient.general-practitioner:Practitioner.name=Joe',
      'user/Observation.rs user/Patient.rs',
      'scope-insufficient',
    ],
    ['GET /Patient?_has:Observation:patient:code=x', 'user/Patient.rs', 'scope-insufficient'],
    ['GET /Patient?_has:Observation:patient:code=x', 'user/Patient.s user/Observation.s', 'forward'],
    ['GET /Observation?_include=Observation:patient', 'user/Observation.rs', 'scope-insufficient'],
    ['GET /Observation?_include=Observation:patient', 'user/Observation.s user/Patient.r', 'forward'],
    ['GET /Observation?_include=Observation:patient', 'user/Observation.s user/Patient.s', 'forward'],
    ['GET /Observation?_include=Observation:patient', 'user/Observation.s user/Patient.cud', 'scope-insufficient'],
    ['GET /Observation?_include:iterate=Patient:link:Patient', 'user/Observation.s', 'scope-insufficient'],
    ['GET /Observation?_include=*', 'user/*.s', 'forward'],
    // `_revinclude` discovers, as a search does.
    ['GET /Patient?_revinclude=Observation:patient', 'user/Patient.s user/Observation.r', 'scope-insufficient'],
    ['GET /Patient?_revinclude=Observation:patient', 'user/Patient.s user/Observation.s', 'forward'],
    [
      'GET /Patient?_revinclude:iterate=DiagnosticReport:result',
      'user/Patient.s user/Observation.s',
      'scope-insufficient',
    ],
    ['GET /Observation?_list=1', 'user/Observation.s', 'scope-insufficient'],
    ['GET /Observation?_list=1', 'user/Observation.s user/List.r', 'forward'],
    ['GET /Observation?_list=1', 'user/Observation.s user/List.s', 'scope-insufficient'],
    ['GET /Observation?_sort=patient.name', 'user/Observation.s', 'scope-insufficient'],
    ['GET /Observation?_contained=true', 'user/Observation.rs', 'scope-insufficient'],
    ['GET /Observation?_filter=x', 'user/Observation.rs user/Patient.rs', 'scope-insufficient'],
    ['GET /Observation?_filter=x', 'user/*.s', 'forward'],
    ['POST /Observation/_search?_has:Condition:patient:code=x', 'user/Observation.rs', 'scope-insufficient'],
    // A conditional interaction searches too.
    ['PUT /Observation?subject:Patient.name=x', 'user/Observation.us', 'scope-insufficient'],
    ['PUT /Observation?subject:Patient.name=x', 'user/Observation.us user/Patient.s', 'forward'],
    ['DELETE /Patient?_has:Observation:patient:code=x', 'user/Patient.ds', 'scope-insufficient'],
  ])('%s with %s: %s', (line, scopes, expected) => {
    expect(verdictOn(line, grantWith(scopes), policy)).toBe(expected)
  })

  test('an include of everything is never passed on as it is by scopes on some types', () => {
    const grant = grantWith('user/Observation.rs user/Patient.rs')
    expect(verdictOn('GET /Observation?_include=*', grant, policy)).not.toBe('forward')
    expect(verdictOn('GET /Patient?_revinclude=*', grant, policy)).not.toBe('forward')
  })

  test('a condition brings nothing along that could be cut, so what it includes must be covered', () => {
    const grant = grantWith('system/Observation.*')
    for (const include of ['_include=*', '_revinclude=*', '_include=Observation:subject']) {
      expect(verdictOn(`PUT /Observation?identifier=x&${include}`, grant, policy)).toBe('scope-insufficient')
      const created = { ifNoneExist: `identifier=x&${include}` }
      expect(verdictOn('POST /Observation', grant, policy, created)).toBe('scope-insufficient')
      const resource = { resourceType: 'Observation', hasMember: { reference: `Observation?identifier=x&${include}` } }
      const body = bundleOf('batch', [{ request: { method: 'POST', url: 'Observation' }, resource }])
      expect(verdictOn('POST /', grant, policy, { body })).toBe('scope-insufficient')
      expect(verdictOn('POST /', grantWith('system/*.*'), policy, { body })).toBe('forward')
    }
  })

  test('a limited scope of no use for what comes along does not turn the search into a refusal', () => {
    const facts = { fhirUser: 'Patient/p1' }
    const line = 'GET /Patient/p2/Patient?_revinclude=*'
    const without = verdictOn(line, grantWith('system/Patient.s', facts), policy)
    expect(without).toMatch(/guard$/)
    expect(verdictOn(line, grantWith('system/Patient.s user/*.s?category=lab', facts), policy)).toBe(without)
  })

  test('a limited scope cannot answer for what decides the matches', () => {
    const grant = launched('system/Observation.rs patient/Patient.rs')
    const decision = decideLine('GET /Observation?subject:Patient.name=x', grant, policy)
    expect(decision).toMatchObject({ outcome: 'deny', refusal: { code: 'constraint-unenforceable' } })
    expect(!isRefusal(decision) && decision.outcome === 'deny' && decision.refusal.detail).toContain(
      'subject:Patient.name',
    )
  })

  test('T15: the suffix of a key does not hide it', () => {
    const grant = grantWith('user/Patient.rs')
    for (const query of [
      '_has:Observation:patient:code=x',
      '_include:iterate=Patient:organization',
      '_revinclude:recurse=Observation:patient',
    ]) {
      expect(verdictOn(`GET /Patient?_id=me&${query}`, grant, policy)).toBe('scope-insufficient')
    }
  })

  test('T11: an include right does not open the type itself', () => {
    expect(verdictOn('GET /Observation', grantWith('user/Procedure.read'), policy)).toBe('scope-insufficient')
  })

  test('T18: an include compares the letter too', () => {
    const grant = grantWith('user/Observation.c user/Patient.rs')
    expect(verdictOn('GET /Patient?_revinclude=Observation:subject', grant, policy)).toBe('scope-insufficient')
    expect(verdictOn('GET /?_type=Observation', grant, policy)).toBe('scope-insufficient')
  })

  test('T24: an operation on an instance is no read', () => {
    expect(decideLine('GET /Patient/me/$everything', grantWith('system/*.cruds'), policy)).toMatchObject({
      outcome: 'deny',
    })
  })

  test('T2, T7: letters stay with their own scope, and order does not matter', () => {
    for (const scopes of [
      'patient/Patient.read patient/Observation.write',
      'patient/Observation.write patient/Patient.read',
    ]) {
      expect(verdictOn('GET /Observation/1', launched(scopes), policy)).toBe('scope-insufficient')
      expect(verdictOn('DELETE /Patient/p1', launched(scopes), policy)).toBe('scope-insufficient')
    }
    for (const scopes of ['patient/*.read system/*.read', 'system/*.read patient/*.read']) {
      expect(verdictOn('GET /Observation/1', launched(scopes), policy)).toBe('forward')
    }
  })
})

describe('bundles', () => {
  const get = (url: string): object => ({ request: { method: 'GET', url } })
  const verdict = (scopes: string, entries: readonly object[], type: 'batch' | 'transaction' = 'transaction'): string =>
    verdictOn('POST /', grantWith(scopes), policy, { body: bundleOf(type, entries) })

  test('every entry is decided', () => {
    const entries = [get('Observation/1'), get('Condition?code=x')]
    for (const type of ['batch', 'transaction'] as const) {
      expect(verdict('user/Observation.r user/Condition.s', entries, type)).toBe('forward')
      expect(verdict('user/Observation.r', entries, type)).toBe('scope-insufficient')
      expect(verdict('user/Condition.s', entries, type)).toBe('scope-insufficient')
      expect(verdict('user/Bundle.cruds', entries, type)).toBe('scope-insufficient')
      expect(verdict('', entries, type)).toBe('scope-insufficient')
    }
  })

  test('T35: a search by POST in an entry is a search, not a create', () => {
    const entries = [{ request: { method: 'POST', url: 'Observation/_search?code=x' } }]
    expect(verdict('user/Observation.c', entries)).toBe('scope-insufficient')
    expect(verdict('user/Observation.s', entries)).toBe('forward')
  })

  test('ifNoneExist needs s besides c', () => {
    const entries = [
      {
        request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=x' },
        resource: { resourceType: 'Patient' },
      },
    ]
    expect(verdict('user/Patient.c', entries)).toBe('scope-insufficient')
    expect(verdict('user/Patient.cs', entries)).toBe('forward')
  })

  test('a conditional reference needs s on the type that it looks up', () => {
    const resource = { resourceType: 'Observation', subject: { reference: 'Patient?identifier=x' } }
    const entries = [{ request: { method: 'POST', url: 'Observation' }, resource }]
    expect(verdict('user/Observation.c', entries)).toBe('scope-insufficient')
    expect(verdict('user/Observation.c user/Patient.r', entries)).toBe('scope-insufficient')
    expect(verdict('user/Observation.c user/Patient.s', entries)).toBe('forward')
  })

  test.each(['Patient/1/$everything', '$export', 'Observation/$lastn'])(
    'an operation among entries is refused: %s',
    (url) => {
      expect(verdict('system/*.cruds', [get('Patient/1'), get(url)])).toBe('operation-not-listed')
    },
  )
})

describe('product scopes', () => {
  const catalogue = catalogueOf({
    'cms.read': ['api-key', 'oauth2'],
    'cms.write': ['service-key'],
    'cms.push': ['service-key'],
    'cms.lab': ['api-key'],
    'cms.nothing': ['api-key'],
    'user/Patient.read': ['oauth2'],
  })
  const products = policyWith({
    catalogue,
    worths: [
      worth('cms.read', 'system/*.rs'),
      worth('cms.write', 'system/*.cud', ['rest']),
      worth('cms.push', 'system/*.cu', ['bundle']),
      worth('cms.lab', 'system/Observation.rs?category=lab'),
    ],
  })
  const held = (kind: GrantFacts['kind'], scopes: string): Grant => grantWith(scopes, { kind })
  const entry = { request: { method: 'PUT', url: 'Patient/1' }, resource: { resourceType: 'Patient', id: '1' } }
  const push = (grant: Grant): string => verdictOn('POST /', grant, products, { body: bundleOf('batch', [entry]) })

  test('a product scope is worth SMART scopes on the route', () => {
    expect(verdictOn('GET /Patient/1', held('api-key', 'cms.read'), products)).toBe('forward')
    expect(verdictOn('GET /', held('bearer', 'cms.read'), products)).toBe('forward')
    expect(verdictOn('DELETE /Patient/1', held('service-key', 'cms.push'), products)).toBe('scope-insufficient')
    expect(verdictOn('GET /Patient/1', held('api-key', 'cms.nothing'), products)).toBe('scope-insufficient')
    expect(verdictOn('GET /Observation', held('api-key', 'cms.lab'), products)).toMatch(LIMITED)
  })

  test('it counts only when a credential of its kinds carries it', () => {
    expect(verdictOn('DELETE /Patient/1', held('api-key', 'cms.read'), products)).toBe('credential-kind')
    expect(verdictOn('GET /Patient/1', held('service-key', 'cms.read'), products)).toBe('credential-kind')
    expect(verdictOn('PUT /Patient/1', held('bearer', 'cms.write'), products)).toBe('credential-kind')
    expect(verdictOn('GET /Patient/1', held('bearer', 'cms.unlisted'), products)).toBe('scope-insufficient')
  })

  test('a SMART scope is for bearer tokens only, unless the catalogue says otherwise', () => {
    expect(verdictOn('GET /Patient/1', held('api-key', 'system/*.cruds'), products)).toBe('credential-kind')
    expect(verdictOn('GET /Patient/1', held('service-key', 'user/Patient.rs'), products)).toBe('credential-kind')
    expect(verdictOn('GET /Patient/1', held('bearer', 'user/Patient.rs'), products)).toBe('forward')
    const opened = policyWith({ catalogue: catalogueOf({ 'system/Patient.read': ['api-key'] }) })
    expect(verdictOn('GET /Patient/1', held('api-key', 'system/Patient.rs'), opened)).toBe('forward')
    expect(verdictOn('GET /Patient/1', held('bearer', 'system/Patient.rs'), opened)).toBe('credential-kind')
    expect(verdictOn('GET /Patient/1', held('api-key', 'system/Patient.r'), opened)).toBe('credential-kind')
  })

  test('it counts only through its doors', () => {
    expect(verdictOn('PUT /Patient/1', held('service-key', 'cms.write'), products)).toBe('forward')
    expect(push(held('service-key', 'cms.write'))).not.toBe('forward')
    expect(push(held('service-key', 'cms.push'))).toBe('forward')
    expect(verdictOn('PUT /Patient/1', held('service-key', 'cms.push'), products)).not.toBe('forward')
  })
})

describe('what a decision says', () => {
  test('which scope covered what, in the spelling in which it was granted', () => {
    const products = policyWith({
      catalogue: catalogueOf({ 'cms.read': ['oauth2'] }),
      worths: [worth('cms.read', 'system/Observation.rs')],
    })
    const decision = decideLine('GET /Observation?patient.name=x', grantWith('user/Patient.read cms.read'), products)
    expect(decision).toMatchObject({
      outcome: 'forward',
      covered: [
        { need: { type: 'Observation', permissions: 's' }, scope: 'cms.read', worth: 'system/Observation.rs' },
        {
          need: { type: 'Patient', role: 'probe', parameter: 'patient.name' },
          scope: 'user/Patient.read',
          worth: 'user/Patient.rs',
        },
      ],
    })
  })

  test('the order of scopes in the token does not change which one is named', () => {
    const scopes = ['user/Observation.rs', 'user/*.rs', 'system/*.cruds', 'user/Observation.read']
    const named = (order: readonly string[]): unknown => decideLine('GET /Observation/1', grantWith(order), policy)
    expect(named(scopes)).toEqual(named([...scopes].reverse()))
    expect(named([...scopes, ...scopes])).toEqual(named(scopes))
  })

  test('what is missing, and what was covered before it', () => {
    const decision = decideLine(
      'GET /Observation?subject:Patient.name=x&_include=Observation:encounter:Encounter',
      grantWith('user/Observation.s'),
      policy,
    )
    expect(decision).toMatchObject({
      outcome: 'deny',
      covered: [{ need: { type: 'Observation' } }],
      missing: [{ type: 'Patient' }, { type: 'Encounter', permissions: 'rs' }],
    })
  })

  test('no id, no value and no token part stands in a refusal', () => {
    const decision = decideLine(
      'GET /Patient/secret-id/Observation?code=secret-code',
      launched('patient/*.rs', { subject: 'secret-sub' }),
      policy,
    )
    expect(JSON.stringify(isRefusal(decision) || decision.outcome !== 'deny' ? '' : decision.refusal)).not.toContain(
      'secret',
    )
  })
})
