// A handful of resources in which every kind of search parameter can be told apart.

import type { Resource } from '../../src/demo/fhir/resource.ts'

export const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'

function category(code: string): object {
  return { coding: [{ system: CATEGORY, code }] }
}

export const SAMPLES: readonly Resource[] = [
  { resourceType: 'Organization', id: 'north', name: 'North Clinic' },
  { resourceType: 'Practitioner', id: 'pr', name: [{ family: 'Grey', given: ['Ada'] }] },
  {
    resourceType: 'Patient',
    id: 'a',
    meta: { tag: [{ system: 'urn:tags', code: 'blue' }] },
    active: true,
    identifier: [
      { system: 'urn:mrn', value: '7', type: { coding: [{ system: 'urn:types', code: 'MR' }], text: 'Record number' } },
    ],
    name: [{ family: 'Müller', given: ['Eve', 'Ann'] }],
    telecom: [{ system: 'phone', value: '555-1' }],
    gender: 'female',
    birthDate: '1980-03-14',
    generalPractitioner: [{ reference: 'Practitioner/pr' }],
    managingOrganization: { reference: 'Organization/north' },
  },
  {
    resourceType: 'Patient',
    id: 'b',
    identifier: [{ system: 'urn:other', value: '7' }],
    name: [{ family: 'Muller-Stone', given: ['Bob'] }],
    gender: 'male',
    birthDate: '1990',
    deceasedDateTime: '2020-02-02',
  },
  {
    resourceType: 'Observation',
    id: 'lab',
    status: 'final',
    category: [category('laboratory')],
    code: { coding: [{ system: LOINC, code: '718-7', display: 'Hemoglobin' }], text: 'Hb' },
    subject: { reference: 'Patient/a' },
    encounter: { reference: 'Encounter/e' },
    effectiveDateTime: '2024-03-10T12:00:00Z',
    valueQuantity: { value: 13.4, unit: 'g/dL', system: UCUM, code: 'g/dL' },
  },
  {
    resourceType: 'Observation',
    id: 'vital',
    status: 'final',
    category: [category('vital-signs'), category('survey')],
    code: { coding: [{ system: LOINC, code: '85354-9' }, { code: 'local' }] },
    subject: { reference: 'Patient/a' },
    performer: [{ reference: 'Patient/b' }],
    effectivePeriod: { start: '2024-03-01', end: '2024-03-31' },
    component: [
      {
        code: { coding: [{ system: LOINC, code: '8480-6' }] },
        valueQuantity: { value: 120, system: UCUM, code: 'mm[Hg]' },
      },
      {
        code: { coding: [{ system: LOINC, code: '8462-4' }] },
        valueQuantity: { value: 80, system: UCUM, code: 'mm[Hg]' },
      },
    ],
  },
  {
    resourceType: 'Observation',
    id: 'bare',
    status: 'preliminary',
    code: { text: 'no category' },
    subject: { reference: 'Patient/b', identifier: { system: 'urn:mrn', value: '9' } },
  },
  {
    resourceType: 'Observation',
    id: 'far',
    status: 'final',
    code: { text: 'elsewhere' },
    subject: { reference: 'https://elsewhere.example/fhir/Patient/a' },
  },
  {
    resourceType: 'Encounter',
    id: 'e',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: 'Patient/a' },
    serviceProvider: { reference: 'Organization/north' },
  },
  {
    resourceType: 'Provenance',
    id: 'p',
    target: [{ reference: 'Observation/lab' }, { reference: 'Patient/a' }],
    recorded: '2024-03-11T00:00:00Z',
    agent: [{ who: { reference: 'Practitioner/pr' } }],
  },
  {
    resourceType: 'RiskAssessment',
    id: 'r',
    status: 'final',
    subject: { reference: 'Patient/a' },
    prediction: [{ probabilityDecimal: 0.25 }],
  },
  {
    resourceType: 'Questionnaire',
    id: 'q',
    url: 'https://forms.example/q',
    status: 'active',
    title: 'Commas, bars | and $',
  },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'qr',
    status: 'completed',
    questionnaire: 'https://forms.example/q|1.0',
  },
  { resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/a' } }] },
]
