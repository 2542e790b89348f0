// The letters of SMART's table, over every interaction (spec §1.4): for every US Core type, under user/ and system/.

import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/domain/fhir/definitions.ts'
import { verdictOn } from '../../support/fhir-requests.ts'
import { grantWith, policyWith } from '../../support/grants.ts'

/** The resource-level scopes of the US Core page. */
const US_CORE_TYPES = [
  'AllergyIntolerance',
  'CarePlan',
  'CareTeam',
  'Condition',
  'Coverage',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Goal',
  'Immunization',
  'MedicationDispense',
  'MedicationRequest',
  'Observation',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'Provenance',
  'QuestionnaireResponse',
  'RelatedPerson',
  'ServiceRequest',
  'Specimen',
]

/** Every interaction on one type, and the letters that it needs. `If-None-Exist` stands behind the line. */
const NEEDS: Readonly<Record<string, string>> = {
  'GET /{T}/1': 'r',
  'HEAD /{T}/1': 'r',
  'GET /{T}/1/_history/2': 'r',
  'GET /{T}/1/_history': 'r',
  'GET /{T}': 's',
  'HEAD /{T}': 's',
  'GET /{T}?_id=1': 's',
  'POST /{T}/_search': 's',
  'GET /Patient/1/{T}': 's',
  'POST /Patient/1/{T}/_search': 's',
  'GET /?_type={T}': 's',
  'POST /_search?_type={T}': 's',
  'GET /{T}/_history': 's',
  'POST /{T}': 'c',
  'PUT /{T}/1': 'u',
  'PATCH /{T}/1': 'u',
  'DELETE /{T}/1': 'd',
  'POST /{T} If-None-Exist: _id=1': 'cs',
  'PUT /{T}?_id=1': 'us',
  'PATCH /{T}?_id=1': 'us',
  'DELETE /{T}?_id=1': 'ds',
}

/** Nothing that scopes on one type open. */
const NEVER = [
  'GET /',
  'GET /?_lastUpdated=gt2024',
  'GET /_history',
  'GET /Patient/1/*',
  'POST /Patient/1/_search',
  'POST /_search',
  'GET /?_type={T},Basic',
  'GET /?_type={T}&_type=Basic',
  'GET /?_type=Basic',
  'GET /Basic/1',
  'GET /Basic',
  'GET /Basic/_history',
  'POST /Basic',
  'PUT /Basic/1',
  'DELETE /Basic/1',
  'GET /Patient/1/Basic',
  'GET /{T}?_include=*',
  'GET /{T}?_revinclude=*',
  'GET /{T}?_revinclude=Basic:subject',
  'GET /{T}?_has:Basic:subject:code=x',
  'GET /{T}?_list=1',
  'GET /{T}?_filter=x',
  'GET /{T}?_contained=true',
  'GET /{T}?_query=x',
  'GET /{T}?_getpages=x',
  'GET /$export',
  'GET /Patient/$export',
  'GET /{T}/$x',
  'POST /{T}/1/$x',
  'DELETE /{T}',
  'DELETE /{T}?_count=1',
]

const policy = policyWith()

function verdict(line: string, type: string, scopes: string): string {
  const [request, ifNoneExist] = line.replaceAll('{T}', type).split(' If-None-Exist: ') as [string, string?]
  return verdictOn(request, grantWith(scopes), policy, ifNoneExist === undefined ? {} : { ifNoneExist })
}

const SUBSETS = Array.from({ length: 31 }, (_, bits) =>
  ['c', 'r', 'u', 'd', 's'].filter((_, at) => ((bits + 1) >> at) & 1).join(''),
)

describe.each(['user', 'system'])('%s/', (context) => {
  test.each(US_CORE_TYPES)('%s: every set of letters allows exactly its interactions', (type) => {
    for (const letters of SUBSETS) {
      const allowed = Object.keys(NEEDS).filter(
        (line) => verdict(line, type, `${context}/${type}.${letters}`) === 'forward',
      )
      const expected = Object.keys(NEEDS).filter((line) =>
        [...NEEDS[line]!].every((letter) => letters.includes(letter)),
      )
      expect(allowed, letters).toEqual(expected)
    }
  })

  test.each(US_CORE_TYPES)('%s: rs allows read, vread, history and search of that type, and nothing else', (type) => {
    for (const spelling of ['rs', 'read']) {
      const allowed = Object.keys(NEEDS).filter(
        (line) => verdict(line, type, `${context}/${type}.${spelling}`) === 'forward',
      )
      expect(allowed).toEqual(Object.keys(NEEDS).filter((line) => /^[rs]+$/.test(NEEDS[line]!)))
    }
  })

  test.each(US_CORE_TYPES)(
    '%s: no letter opens another type, every type, or what is no interaction on the type',
    (type) => {
      for (const spelling of ['cruds', '*', 'read', 'write', ...'cruds']) {
        for (const line of NEVER)
          expect(verdict(line, type, `${context}/${type}.${spelling}`), line).not.toBe('forward')
      }
    },
  )

  test.each(['c', 'r', 'u', 'd', 's'])('%s on every type allows it on each, and on all at once', (letter) => {
    for (const type of ['Basic', 'Patient', 'Observation']) {
      for (const [line, letters] of Object.entries(NEEDS)) {
        expect(verdict(line, type, `${context}/*.${letter}`) === 'forward', line).toBe(letters === letter)
      }
    }
    for (const line of ['GET /', 'GET /_history', 'GET /Patient/1/*', 'POST /_search', 'GET /?_type=Patient,Basic']) {
      expect(verdict(line, 'Patient', `${context}/*.${letter}`) === 'forward', line).toBe(letter === 's')
    }
  })
})

describe('a Subscription pushes what its criteria match', () => {
  test.each(['POST /Subscription', 'PUT /Subscription/1', 'PATCH /Subscription/1'])('%s', (line) => {
    const decided = (scopes: string): string => verdictOn(line, grantWith(scopes), policy)
    expect(decided('system/Subscription.cruds')).toBe('scope-insufficient')
    expect(decided('system/Subscription.cruds system/Patient.rs system/Observation.rs')).toBe('scope-insufficient')
    expect(decided('system/Subscription.cu system/*.r')).toBe('scope-insufficient')
    expect(decided('system/Subscription.cu system/*.s')).toBe('scope-insufficient')
    expect(decided('system/Subscription.cu system/*.rs')).toBe('forward')
    expect(decided('system/Subscription.cu system/*.rs?_security=N')).toBe('constraint-unenforceable')
  })

  test('reading and deleting one is like any other type', () => {
    expect(verdictOn('GET /Subscription/1', grantWith('system/Subscription.r'), policy)).toBe('forward')
    expect(verdictOn('DELETE /Subscription/1', grantWith('system/Subscription.d'), policy)).toBe('forward')
  })
})

test('an interaction of another FHIR version is unknown, whatever the scope', () => {
  const extras = { definitions: definitionsOf('R5') }
  expect(verdictOn('GET /Media/1', grantWith('system/*.cruds'), policy, extras)).toBe('interaction-unknown')
  expect(verdictOn('GET /Transport/1', grantWith('system/*.cruds'), policy)).toBe('interaction-unknown')
})
