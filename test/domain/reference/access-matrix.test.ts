// The access matrix against the decisions that it speaks for, and in examples.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AccessMatrix,
  accessMatrix,
  LETTERS,
  type MatrixCell,
} from '../../../src/domain/reference/access-matrix.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import type { Permission } from '../../../src/domain/smart/scope.ts'
import { settingsFrom } from '../../config/support/maps.ts'
import { decideLine } from '../../support/fhir-requests.ts'
import { grantWith } from '../../support/grants.ts'
import { mappedOf } from '../../support/mapped-routes.ts'

const { routes, catalogue } = mappedOf(
  settingsFrom(`
version: 1
server: { listen: 127.0.0.1:8080 }
issuers: [{ name: ehr, issuer: https://ehr.example.org, audience: [http://127.0.0.1:8080/f], jwks: https://ehr.example.org/jwks }]
upstreams: { a: { url: http://127.0.0.1:1 } }
scopes:
  Products:
    all.read: { credentials: [api-key, oauth2] }
    push: { credentials: [api-key] }
    labs: { credentials: [oauth2] }
    merge: { credentials: [service-key, oauth2] }
    other: { credentials: [oauth2] }
    idle: { credentials: [oauth2] }
    "user/Device.rs": { credentials: [smart] }
routes:
  - name: f
    fhir: R4
    path: /f
    upstream: a
    smart: true
    grants:
      all.read: system/*.rs
      push: { scope: system/*.cu, via: [bundle] }
      labs: system/Observation.rs?category=laboratory
    operations: { "Patient/{id}/$everything": { requires: "*.rs" } }
  - { name: p, upstream: a, match: { POST /merge: merge, GET /both: { allOf: [merge, other] } } }
`),
)
const fhir = routes.find((mapped) => mapped.kind === 'fhir')!

function matrixOf(
  scopes: string,
  change: { kind?: 'bearer' | 'api-key' | 'service-key'; patient?: boolean } = {},
): AccessMatrix {
  return accessMatrix({ scopes: scopes.split(' '), kind: 'bearer', patient: true, ...change }, routes, catalogue)
}

function cellOf(matrix: AccessMatrix, type: string, letter: Permission): MatrixCell {
  const row = matrix.routes.find(({ path }) => path === '/f')?.rows.find(({ types }) => types.includes(type))
  return row?.cells[LETTERS.indexOf(letter)] ?? { access: 'none', limits: [] }
}

/** `crud` and `s`: full in capitals, limited in small letters, none as a dash. */
function lineOf(matrix: AccessMatrix, type: string): string {
  return LETTERS.map((letter) => {
    const { access } = cellOf(matrix, type, letter)
    return access === 'full' ? letter.toUpperCase() : access === 'limited' ? letter : '-'
  }).join('')
}

describe('types × letters', () => {
  test.each<[string, string, string, { kind?: 'api-key'; patient?: boolean }?]>([
    ['patient/Observation.rs', 'Observation', '-r--s'],
    ['patient/Observation.rs', 'Condition', '-----'],
    ['patient/*.cruds', 'Observation', 'cruds'],
    ['patient/*.cruds', 'Practitioner', '-R--S'],
    ['patient/*.cruds', 'Appointment', '-----'],
    ['patient/Appointment.rs', 'Appointment', '-r--s'],
    ['patient/*.cruds', 'Group', '-----'],
    ['patient/*.rs', 'Observation', '-----', { patient: false }],
    ['user/*.cud', 'Observation', 'C-UD-'],
    ['system/Patient.read', 'Patient', '-R--S'],
    ['all.read', 'Medication', '-R--S'],
    ['all.read', 'Medication', '-R--S', { kind: 'api-key' }],
    ['system/Patient.read', 'Patient', '-----', { kind: 'api-key' }],
    ['labs', 'Observation', '-r--s'],
    ['labs system/Observation.r', 'Observation', '-R--s'],
    ['patient/Observation.rs?category=laboratory', 'Observation', '-r--s'],
    ['patient/Observation.rs?value-quantity=5', 'Observation', '-----'],
  ])('%s on %s: %s', (scopes, type, line, change = {}) => {
    expect(lineOf(matrixOf(scopes, change), type)).toBe(line)
  })

  test('says what limits: the patient, a filter, both', () => {
    const matrix = matrixOf('patient/Condition.rs labs patient/Procedure.rs?status=completed')
    expect(cellOf(matrix, 'Condition', 'r').limits).toEqual(['patient'])
    expect(cellOf(matrix, 'Observation', 'r').limits).toEqual(['filter'])
    expect(cellOf(matrix, 'Procedure', 'r').limits).toEqual(['patient', 'filter'])
  })

  test('says through which door, where it is not every one', () => {
    expect(cellOf(matrixOf('push', { kind: 'api-key' }), 'Patient', 'c')).toMatchObject({
      access: 'full',
      only: 'bundle',
    })
    expect(cellOf(matrixOf('all.read'), 'Patient', 'r')).toEqual({ access: 'full', limits: [] })
  })

  test('named types stand alone and first, the others together by what they have', () => {
    const [{ rows } = { rows: [] }] = matrixOf('patient/Observation.rs patient/*.rs').routes
    expect(rows[0]?.types).toEqual(['Observation'])
    // Observation, Binary (read only), what is shared, and what is the patient's.
    expect(rows.map(({ types }) => types.length).toSorted((a, b) => a - b)).toEqual([1, 1, 8, 62])
  })
})

test('operations and other endpoints', () => {
  const lines = (scopes: string, kind: 'bearer' | 'service-key' = 'bearer') =>
    matrixOf(scopes, { kind }).endpoints.map(({ method, path, limits }) => [`${method} ${path}`, ...limits].join(' '))
  expect(lines('patient/*.rs')).toEqual(['GET /f/Patient/{id}/$everything patient'])
  expect(lines('patient/Patient.rs')).toEqual([])
  expect(lines('merge')).toEqual(['POST /merge'])
  expect(lines('merge other')).toEqual(['POST /merge', 'GET /both'])
  expect(lines('merge other', 'service-key')).toEqual(['POST /merge'])
})

describe('scopes that grant nothing, with the reason', () => {
  const reasonOf = (scope: string, change: Parameters<typeof matrixOf>[1] = {}) =>
    matrixOf(scope, change).silent.find((one) => one.scope === scope)?.reason

  test.each<[string, RegExp, Parameters<typeof matrixOf>[1]?]>([
    ['launch/patient', /about the launch/],
    ['openid', /about the launch/],
    ['patient/Observation.sr', /order c r u d s/],
    ['patient/Observation.rr', /order c r u d s/],
    ['patient.Observation.rs', /slash after the context/],
    ['Patient/Observation.rs', /small letters/],
    ['patient/observation.rs', /capital letter/],
    ['patient/Observation', /what it allows/],
    ['patient/Observation.read?category=laboratory', /needs letters before it/],
    ['patient/Observation.rs?code:in=x', /Modifiers and chains/],
    ['patient/Observation.rs?patient.name=x', /Modifiers and chains/],
    ['patient/Observation.rs?category', /filter is none/],
    ['patient/Observation.rs?_sort=x', /filter is none/],
    ['patient/Observation.', /form of a SMART scope/],
    ['Bearer', /header/],
    ['eyJhbGciOi.eyJpc3Mi.c2ln', /looks like a token/],
    ['ALL.READ', /spells it all\.read/],
    ['unknown.scope', /no such scope/],
    ['push', /cannot carry it\. These can: API keys\./],
    ['user/Device.rs', /cannot carry it\. These can: SMART on FHIR tokens\./, { kind: 'api-key' }],
    ['patient/Observation.rs', /launch patient/, { patient: false }],
    ['system/Unknown.rs', /no resource type Unknown/],
    ['system/Observation.rs?value-quantity=5', /filter cannot be checked/],
    ['patient/Group.rs', /not part of one patient/],
    ['patient/ValueSet.rs', /not part of one patient/],
    ['idle', /no route opens anything/],
    ['other', /only together with another/],
  ])('%s', (scope, reason, change) => {
    expect(reasonOf(scope, change)).toMatch(reason)
  })

  test.each(['patient/Observation.rs', 'all.read', 'merge', 'labs'])('%s grants something', (scope) => {
    expect(reasonOf(scope)).toBeUndefined()
  })
})

const INTERACTIONS: readonly (readonly [Permission, (type: string) => string])[] = [
  ['c', (type) => `POST /${type}`],
  ['r', (type) => `GET /${type}/x`],
  ['u', (type) => `PUT /${type}/x`],
  ['d', (type) => `DELETE /${type}/x`],
  ['s', (type) => `GET /${type}`],
]

test('a cell is full where a decision forwards, limited where it could only let a part through, and nothing where it refuses', () => {
  const types = ['Patient', 'Observation', 'Practitioner', 'Appointment', 'Group', 'ValueSet', 'Device']
  const scope = fc.oneof(
    fc.constantFrom('all.read', 'push', 'labs', 'user/Device.rs', 'merge', 'launch/patient'),
    fc
      .tuple(
        fc.constantFrom('patient', 'user', 'system'),
        fc.constantFrom('*', ...types),
        fc.constantFrom('rs', 'cud', 'cruds', 'r', 's', 'read', 'rs?category=laboratory', 'rs?_id=x'),
      )
      .map(([context, type, rest]) => `${context}/${type}.${rest}`),
  )
  fc.assert(
    fc.property(
      fc.uniqueArray(scope, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('bearer' as const, 'api-key' as const),
      fc.boolean(),
      fc.constantFrom(...types),
      fc.constantFrom(...INTERACTIONS),
      (scopes, kind, patient, type, [letter, line]) => {
        const cell = cellOf(accessMatrix({ scopes, kind, patient }, routes, catalogue), type, letter)
        const access = cell.only === 'bundle' ? 'none' : cell.access
        const grant = grantWith(scopes, { kind, patients: patient ? ['launch'] : [] })
        const decision = decideLine(line(type), grant, fhir.kind === 'fhir' ? fhir.policy : fail())
        if (isRefusal(decision)) throw new Error(`${line(type)} was not read: ${decision.detail}`)
        const decided =
          decision.outcome === 'forward'
            ? 'full'
            : decision.outcome !== 'deny' ||
                ['constraint-unenforceable', 'patient-mismatch'].includes(decision.refusal.code)
              ? 'limited'
              : 'none'
        expect(`${line(type)} ${access}`).toBe(`${line(type)} ${decided}`)
      },
    ),
    { numRuns: 2000 },
  )
})

function fail(): never {
  throw new Error('the first route is a FHIR route')
}
