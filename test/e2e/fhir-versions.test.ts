// The patient's record in each FHIR version: the same rule, by the compartment and the search parameters of that version, in front of a
// store that lies. R5 names patients elsewhere, has types that R4 lacks, and codes within references.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { lyingStore } from '../support/lying-store.ts'
import { BASE, fhirMap, type Rig, startRig } from '../support/rig.ts'

const mine = { reference: 'Patient/p1' }
const other = { reference: 'Patient/p2' }
const coded = (code: string) => ({ coding: [{ system: 'http://x.example', code }] })

interface Typed {
  readonly resourceType: string
  readonly id: string
}
/** One of the patient, one of another, one whose patient stands where this version does not look. */
const record = (resourceType: string, member: string, elsewhere: string): Typed[] => [
  { resourceType, id: 'mine', [member]: mine } as Typed,
  { resourceType, id: 'other', [member]: other } as Typed,
  { resourceType, id: 'elsewhere', [elsewhere]: mine } as Typed,
]

const VERSIONS: Readonly<Record<string, { readonly data: readonly Typed[]; readonly unknown: readonly string[] }>> = {
  r4: {
    data: [
      ...record('Observation', 'subject', 'patient'),
      ...record('Consent', 'patient', 'subject'),
      ...record('Task', 'for', 'patient'),
      ...record('Media', 'subject', 'patient'),
      ...record('DeviceUseStatement', 'subject', 'patient'),
      ...record('RequestGroup', 'subject', 'patient'),
      ...record('Provenance', 'patient', 'subject').map((one, i) => ({ ...one, target: [i === 0 ? mine : other] })),
    ],
    unknown: ['DeviceAssociation', 'EncounterHistory', 'NutritionIntake', 'RequestOrchestration'],
  },
  r4b: {
    data: [
      ...record('Observation', 'subject', 'patient'),
      ...record('Consent', 'patient', 'subject'),
      ...record('DeviceUseStatement', 'subject', 'patient'),
      ...record('Task', 'for', 'patient'),
    ],
    unknown: ['DeviceAssociation', 'EffectEvidenceSynthesis'],
  },
  r5: {
    data: [
      ...record('Observation', 'subject', 'patient'),
      ...record('Consent', 'subject', 'patient'),
      ...record('Task', 'for', 'patient'),
      ...record('DeviceAssociation', 'subject', 'patient'),
      ...record('DeviceUsage', 'patient', 'subject'),
      ...record('EncounterHistory', 'subject', 'patient'),
      ...record('NutritionIntake', 'subject', 'patient'),
      ...record('RequestOrchestration', 'subject', 'patient'),
      ...record('DeviceDispense', 'subject', 'patient'),
      // Named by an element of its own, which must not speak of somebody else.
      { resourceType: 'Provenance', id: 'mine', patient: mine, target: [mine] } as Typed,
      { resourceType: 'Provenance', id: 'other', patient: other, target: [mine] } as Typed,
      { resourceType: 'Provenance', id: 'elsewhere', patient: mine, target: [other] } as Typed,
    ],
    unknown: ['Media', 'DeviceUseStatement', 'RequestGroup', 'DocumentManifest'],
  },
}

let rig: Rig
beforeAll(async () => {
  const route = (version: string, path: string): string =>
    `  - { name: ${version}, fhir: ${version.toUpperCase()}, path: ${path}, upstream: store, smart: true, audience: "${BASE}" }\n`
  rig = await startRig({ map: fhirMap({ more: route('r4b', '/r4b') + route('r5', '/r5') }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const claims = { patient: 'p1' }
const keys = ({ json }: Answer): string[] =>
  (json.entry ?? []).map(({ resource }: { resource: Typed }) => `${resource.resourceType}/${resource.id}`).sort()

describe.each(Object.entries(VERSIONS))('%s', (version, { data, unknown }) => {
  const path = version === 'r4' ? '/fhir/R4' : `/${version}`
  const types = [...new Set(data.map(({ resourceType }) => resourceType))]
  beforeEach(() => {
    rig.upstream.script = lyingStore(data, () => `${rig.upstream.url}/base`)
  })

  test.each(types)('%s: search, read, history', async (type) => {
    const scope = `patient/${type}.rs`
    for (const line of [`GET ${path}/${type}`, `GET ${path}/Patient/p1/${type}`, `GET ${path}/${type}/_history`]) {
      const answer = await rig.ask(line, { scope, claims })
      expect([line, answer.status, keys(answer)]).toEqual([line, 200, [`${type}/mine`]])
    }
    for (const [id, status] of [
      ['mine', 200],
      ['other', 404],
      ['elsewhere', 404],
    ] as const) {
      expect([id, (await rig.ask(`GET ${path}/${type}/${id}`, { scope, claims })).status]).toEqual([id, status])
    }
    const asked = decodeURIComponent(rig.upstream.arrived[0]!.url)
    expect(asked).toMatch(/\?(patient|subject)=Patient\/p1$/)
  })

  test('everything of the patient', async () => {
    const answer = await rig.ask(`GET ${path}/Patient/p1/*`, { scope: 'patient/*.rs', claims })
    expect(keys(answer)).toEqual(types.map((type) => `${type}/mine`).sort())
  })

  test.each(unknown)('%s is no type of this version', async (type) => {
    expect(verdictOf(await rig.ask(`GET ${path}/${type}`, { scope: 'system/*.cruds', claims }))).toBe(
      '404 interaction-unknown',
    )
    rig.upstream.script = lyingStore(
      [{ resourceType: type, id: '1', subject: mine, patient: mine }],
      () => `${rig.upstream.url}/base`,
    )
    expect(keys(await rig.ask(`GET ${path}/Observation`, { scope: 'patient/*.rs', claims }))).toEqual([])
  })
})

test('R5: a filter on a code that stands in a reference', async () => {
  const prescription = (id: string, medication: object) => ({
    resourceType: 'MedicationRequest',
    id,
    subject: mine,
    medication,
  })
  const data = [
    prescription('concept', { concept: coded('aspirin') }),
    prescription('other', { concept: coded('codeine') }),
    prescription('reference', { reference: { reference: 'Medication/aspirin' } }),
    { resourceType: 'MedicationRequest', id: 'r4', subject: mine, medicationCodeableConcept: coded('aspirin') },
  ]
  rig.upstream.script = lyingStore(data, () => `${rig.upstream.url}/base`)
  const scope = 'patient/MedicationRequest.rs?code=http://x.example|aspirin'
  expect(keys(await rig.ask('GET /r5/MedicationRequest', { scope, claims }))).toEqual(['MedicationRequest/concept'])
  expect(keys(await rig.ask('GET /fhir/R4/MedicationRequest', { scope, claims }))).toEqual(['MedicationRequest/r4'])
})
