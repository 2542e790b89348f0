// Random tokens and resources for the guard: a small world of three patients in which categories, codes, dates and references meet,
// miss and almost meet each other.

import fc from 'fast-check'
import { UPSTREAM_BASE } from '../in-process-gateway.ts'
import { BASE } from '../rig.ts'
import { type Loose, MODEL_TYPES, modelParameter } from './elements.ts'
import type { ModelToken } from './sight.ts'

const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
const V2 = 'http://terminology.hl7.org/CodeSystem/v2-0074'
const LOCAL = 'http://local.example/category'

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const often = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 8 })

const coding = fc
  .tuple(
    fc.constantFrom(OBSERVATION_CATEGORY, OBSERVATION_CATEGORY, OBSERVATION_CATEGORY, V2, LOCAL, undefined),
    fc.constantFrom(
      'laboratory',
      'laboratory',
      'laboratory',
      'vital-signs',
      'LAB',
      'lab',
      'Laboratory',
      'a,b',
      undefined,
    ),
  )
  .map(([system, code]) => ({ ...(system && { system }), ...(code && { code }) }))
const concept: fc.Arbitrary<Loose> = fc.oneof(
  { weight: 8, arbitrary: fc.array(coding, { maxLength: 2 }).map((codings) => ({ coding: codings })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Loose>({ text: 'laboratory' }, {}, 'laboratory', null, {
      coding: { code: 'laboratory' },
    }),
  },
)
const concepts = fc.oneof(
  { weight: 9, arbitrary: fc.array(concept, { maxLength: 2 }) },
  { weight: 1, arbitrary: concept },
)

const PLAIN_PATIENTS = ['Patient/p1', 'Patient/p1', 'Patient/p2', 'Patient/p3'].map((reference) => ({ reference }))
const STRANGE_PATIENTS: readonly Loose[] = [
  { reference: 'Patient/p1/_history/2' },
  { reference: `${BASE}/Patient/p1` },
  { reference: `${UPSTREAM_BASE}/Patient/p1` },
  { reference: 'https://elsewhere.example/fhir/Patient/p1' },
  { reference: 'Patient/p10' },
  { reference: 'Patient/P1' },
  { reference: 'patient/p1' },
  { reference: '#p1' },
  { reference: 'urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736' },
  { reference: 'Group/p1' },
  { reference: 'Device/p1' },
  { reference: 'p1' },
  { identifier: { value: 'p1' } },
  { type: 'Patient', display: 'p1' },
  { type: 'Group', identifier: { value: 'g' } },
  { reference: 7 },
  [{ reference: 'Patient/p1' }],
  'Patient/p1',
  null,
]
const patient: fc.Arbitrary<Loose> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PLAIN_PATIENTS) },
  { weight: 1, arbitrary: fc.constantFrom(...STRANGE_PATIENTS) },
)
const somebody: fc.Arbitrary<Loose> = fc.oneof(
  { weight: 2, arbitrary: patient },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('Practitioner/1', 'Practitioner/2', 'Organization/1')
      .map((reference) => ({ reference })),
  },
)
const people = fc.array(somebody, { maxLength: 2 })
const when = fc.constantFrom(
  '2020',
  '2024-05',
  '2024-05-17',
  '2024-05-17T12:00:00Z',
  '2024-05-17T23:30:00+02:00',
  '2024-12-31T23:59:59',
  '1999-01-01',
  'x',
)
// Both ends with a zone or both without: of others nobody can tell where they lie.
const period = fc.oneof(
  fc.record(
    { start: fc.constantFrom('2020', '2024-05', '2024-05-17'), end: fc.constantFrom('2024-05-17', '2024-12', 'x') },
    { requiredKeys: [] },
  ),
  fc.record(
    {
      start: fc.constantFrom('2024-05-17T12:00:00Z', '2020-01-01T00:00:00Z'),
      end: fc.constantFrom('2024-05-17T23:30:00+02:00', '2019-01-01T00:00:00Z'),
    },
    { requiredKeys: [] },
  ),
)
const name = fc.record(
  { family: fc.constantFrom('Müller', 'Smith', 'Smithson'), given: fc.subarray(['Anna', 'Bo']) },
  { requiredKeys: [] },
)
const identifier = fc.record(
  { system: fc.constantFrom('urn:mrn', LOCAL), value: fc.constantFrom('1', '2', 'A') },
  { requiredKeys: [] },
)
const meta = fc.record(
  {
    lastUpdated: fc.constantFrom('2024-05-17T12:00:00Z', '2020-01-01T00:00:00+01:00'),
    security: fc.array(coding, { maxLength: 1 }),
    profile: fc.subarray(['http://x.example/p|1', 'http://x.example/q']),
  },
  { requiredKeys: [] },
)

const target = fc.oneof(
  { weight: 3, arbitrary: patient },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom('Observation', 'Condition', 'Practitioner', 'Binary', 'Provenance'),
        fc.constantFrom('1', '2', '3'),
      )
      .map(([type, id]) => ({ reference: `${type}/${id}` })),
  },
)

const CONTENT: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<Loose>>>>> = {
  Patient: {
    active: maybe(fc.boolean()),
    name: maybe(fc.array(name, { maxLength: 2 })),
    gender: maybe(fc.constantFrom('female', 'male')),
    birthDate: maybe(fc.constantFrom('1970-01-01', '2001')),
    telecom: maybe(
      fc.array(fc.record({ system: fc.constantFrom('phone', 'email'), value: fc.constantFrom('1', '2') }), {
        maxLength: 2,
      }),
    ),
    generalPractitioner: maybe(people),
    link: maybe(fc.constant([{ other: { reference: 'Patient/p1' }, type: 'seealso' }])),
  },
  Observation: {
    category: often(concepts),
    code: often(concept),
    status: often(fc.constantFrom('final', 'preliminary')),
    subject: often(patient),
    performer: maybe(people),
    effectiveDateTime: maybe(when),
    effectivePeriod: maybe(period),
    valueString: maybe(fc.constantFrom('Positive', 'negative', 'Ärger')),
    component: maybe(
      fc.array(
        concept.map((code) => ({ code })),
        { maxLength: 1 },
      ),
    ),
    identifier: maybe(fc.array(identifier, { maxLength: 2 })),
    contained: maybe(fc.constant([{ resourceType: 'Patient', id: 'p1' }])),
  },
  Condition: {
    category: often(concepts),
    code: maybe(concept),
    clinicalStatus: maybe(concept),
    subject: often(patient),
    asserter: maybe(somebody),
    onsetDateTime: maybe(when),
    onsetPeriod: maybe(period),
  },
  Encounter: {
    class: maybe(coding),
    status: maybe(fc.constantFrom('finished', 'planned')),
    subject: often(patient),
    period: maybe(period),
  },
  DocumentReference: {
    category: maybe(concepts),
    type: maybe(concept),
    subject: often(patient),
    author: maybe(people),
  },
  MedicationRequest: {
    intent: maybe(fc.constantFrom('order', 'plan')),
    subject: often(patient),
    medicationReference: maybe(fc.constantFrom({ reference: 'Medication/1' }, { reference: 'Medication/2' })),
  },
  Coverage: {
    status: maybe(fc.constantFrom('active', 'draft')),
    beneficiary: often(patient),
    payor: maybe(people),
    policyHolder: maybe(patient),
  },
  Device: { type: maybe(concept), patient: often(patient) },
  Task: { intent: maybe(fc.constantFrom('order', 'plan')), for: often(patient) },
  Communication: {
    category: maybe(concepts),
    subject: maybe(patient),
    sender: maybe(somebody),
    recipient: maybe(people),
  },
  AdverseEvent: { subject: often(patient) },
  Appointment: {
    status: maybe(fc.constantFrom('booked', 'arrived')),
    participant: often(
      fc.array(
        maybe(somebody).map((actor) => ({ status: 'accepted', ...(actor !== undefined && { actor }) })),
        { maxLength: 2 },
      ),
    ),
  },
  List: { subject: often(patient), source: maybe(somebody) },
  Group: {
    member: maybe(
      fc.array(
        patient.map((entity) => ({ entity })),
        { maxLength: 2 },
      ),
    ),
  },
  Provenance: { target: often(fc.array(target, { maxLength: 2 })) },
  Practitioner: {
    name: maybe(fc.array(name, { maxLength: 1 })),
    identifier: maybe(fc.array(identifier, { maxLength: 1 })),
  },
  Organization: { name: maybe(fc.constantFrom('Clinic', 'clinique')) },
  Medication: { code: maybe(concept) },
  Questionnaire: {
    url: maybe(fc.constantFrom('http://x.example/a', 'http://x.example/b')),
    status: maybe(fc.constantFrom('active', 'draft')),
    title: maybe(fc.constantFrom('Pain', 'Sleep')),
  },
  Binary: { contentType: fc.constant('text/plain'), data: fc.constant('QUJD') },
  ValueSet: { url: maybe(fc.constantFrom('http://x.example/a', 'http://x.example/b')) },
}

export const idOf = (type: string): fc.Arbitrary<string> =>
  type === 'Patient' ? fc.constantFrom('p1', 'p2', 'p3', 'p10') : fc.constantFrom('1', '2', '3', 'p1')

/** More of the types that scopes mostly speak of. */
export const someType: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('Observation', 'Condition', 'Patient', 'Provenance') },
  { weight: 4, arbitrary: fc.constantFrom(...MODEL_TYPES) },
)

export function resourceOf(type: string): fc.Arbitrary<Loose> {
  return fc
    .record({ id: idOf(type), meta: maybe(meta), ...CONTENT[type] })
    .map((elements) => JSON.parse(JSON.stringify({ resourceType: type, ...elements })))
}

export const resource: fc.Arbitrary<Loose> = someType.chain(resourceOf)

/** In the shapes that FHIR gives them, as a server that checks what it stores would have them. */
export const plainResource: fc.Arbitrary<Loose> = resource.filter(isPlain)
export const plainResourceOf = (type: string): fc.Arbitrary<Loose> => resourceOf(type).filter(isPlain)

const ELEMENTS = new Set([
  'subject',
  'patient',
  'for',
  'beneficiary',
  'policyHolder',
  'sender',
  'source',
  'asserter',
  'actor',
  'entity',
  'code',
  'type',
  'clinicalStatus',
  'class',
])
const LISTS = new Set([
  'category',
  'performer',
  'author',
  'payor',
  'recipient',
  'target',
  'participant',
  'member',
  'component',
])

function isPlain(holder: Loose): boolean {
  return Object.entries<Loose>(holder).every(([name, value]) => {
    if (ELEMENTS.has(name)) return isElement(value)
    return (
      !LISTS.has(name) ||
      (Array.isArray(value) && value.every((one) => isElement(one) && (one.type !== undefined || isPlain(one))))
    )
  })
}

function isElement(value: Loose): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return (
    (value.reference === undefined || typeof value.reference === 'string') &&
    (value.coding === undefined || Array.isArray(value.coding))
  )
}

// Scopes

const CATEGORY_VALUES = [
  `${OBSERVATION_CATEGORY}|laboratory`,
  `${OBSERVATION_CATEGORY}|laboratory`,
  `${OBSERVATION_CATEGORY}%7Claboratory`,
  `${OBSERVATION_CATEGORY}|`,
  'laboratory',
  '|laboratory',
  `${V2}|LAB`,
  `${V2}|lab`,
  `${LOCAL}|LAB`,
  `${OBSERVATION_CATEGORY}|laboratory,${OBSERVATION_CATEGORY}|vital-signs`,
  'a%5C,b',
  'a,b',
]
const FILTERS: readonly string[] = [
  ...CATEGORY_VALUES.map((value) => `category=${value}`),
  ...['laboratory', `${LOCAL}|LAB`].map((value) => `code=${value}`),
  'combo-code=laboratory',
  'clinical-status=LAB',
  'status=final',
  'status=http://hl7.org/fhir/observation-status|final',
  'status=active',
  'intent=order',
  'class=vital-signs',
  'type=laboratory',
  'date=2024',
  'date=ge2024-05-17',
  'date=lt2024-05-17T12:00:00Z',
  'date=ge2020&date=lt2024-05-18',
  'onset-date=sa2020',
  'birthdate=le1980',
  '_lastUpdated=gt2021-01-01T00:00:00Z',
  'subject=Patient/p1',
  'subject=p1',
  'patient=p2',
  'patient=Patient/p1,Patient/p2',
  `subject=${BASE}/Patient/p1`,
  'performer=Practitioner/1',
  'performer=Practitioner/1,Organization/1',
  'asserter=Patient/p1',
  'general-practitioner=1',
  'value-string=pos',
  'value-string=arg',
  'name=mul',
  'family=Smith',
  'phone=1',
  'active=true',
  'gender=female',
  'identifier=urn:mrn|1',
  'identifier=A',
  'identifier=a',
  'url=http://x.example/a',
  'title=pa',
  '_security=http://local.example/category|lab',
  '_profile=http://x.example/q',
  '_id=1,p1',
  'target=Observation/1',
]
/** Not in FHIR, not to be evaluated, or malformed: the whole scope grants nothing. */
const EMPTY_FILTERS = [
  'nosuch=1',
  'value-quantity=gt5',
  'code-value-quantity=x$gt5',
  'category:not=x',
  'subject.name=x',
  'category=',
  'category=a==b',
  '_has:x:y=z',
  'category=a%5Cb',
  'date=2024-13',
  'date=ap2024',
]

const letters = fc.constantFrom('rs', 'rs', 'rs', 'rs', 'r', 's', 'cruds', 'cud', 'read', 'write', '*')
const context = fc.constantFrom('patient', 'patient', 'patient', 'user', 'system')
const idle = fc.constantFrom(
  'openid',
  'launch/patient',
  'patient/Observation.sr',
  'patient/Observation.read-only',
  'patient/Observation.rs?',
  'Patient/Observation.rs',
)

/** Filters by what the type has; the model knows no other parameters of it. */
export function filterOn(type: string): fc.Arbitrary<string> {
  const own = FILTERS.filter((one) => modelParameter(type, one.slice(0, one.indexOf('='))) !== undefined)
  return fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom(...own) },
    { weight: 1, arbitrary: fc.constantFrom(...EMPTY_FILTERS) },
  )
}

function scopeOn(type: string): fc.Arbitrary<string> {
  const plain = fc.tuple(context, letters).map(([level, word]) => `${level}/${type}.${word}`)
  const granular = fc
    .tuple(
      context,
      fc.constantFrom('rs', 'rs', 'rs', 'r', 's'),
      fc.array(filterOn(type), { minLength: 1, maxLength: 2 }),
    )
    .map(([level, word, filters]) => `${level}/${type}.${word}?${filters.join('&')}`)
  return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 4, arbitrary: granular })
}

function tokenOn(focus: string): fc.Arbitrary<ModelToken> {
  const onFocus = fc.array(scopeOn(focus), { minLength: 1, maxLength: 3 })
  const beside = fc.array(fc.oneof(scopeOn('*'), someType.chain(scopeOn), someType.chain(scopeOn), idle), {
    maxLength: 3,
  })
  return fc.record({
    scopes: fc
      .tuple(onFocus, beside, fc.boolean())
      .map(([own, others, first]) => [...new Set(first ? [...own, ...others] : [...others, ...own])]),
    patients: fc.constantFrom<readonly string[]>(['p1'], ['p1'], ['p1'], ['p1', 'p2'], ['p2'], []),
    fhirUser: fc.constantFrom(undefined, 'Practitioner/1', 'Patient/p1', 'Patient/p2'),
  })
}

/** A token, resources, and the type that both mostly speak of. */
export interface Scene {
  readonly focus: string
  readonly token: ModelToken
  readonly resources: readonly Loose[]
}

export const scene: fc.Arbitrary<Scene> = someType.chain((focus) =>
  fc.record({
    focus: fc.constant(focus),
    token: tokenOn(focus),
    resources: fc.array(fc.oneof({ weight: 3, arbitrary: resourceOf(focus) }, { weight: 2, arbitrary: resource }), {
      maxLength: 10,
    }),
  }),
)

/** What was found of it, and what it is about, which a server may give in any order. */
export const provenanceScene: fc.Arbitrary<Scene> = fc.record({
  focus: fc.constant('Observation'),
  token: fc.record({
    scopes: fc.subarray(
      [
        'patient/Provenance.rs',
        'patient/Observation.rs',
        'user/Observation.rs',
        'patient/Condition.rs?category=laboratory',
        'patient/Practitioner.rs',
        'user/Binary.rs',
      ],
      { minLength: 2 },
    ),
    patients: fc.constantFrom<readonly string[]>(['p1'], ['p1', 'p2']),
    fhirUser: fc.constantFrom(undefined, 'Patient/p2'),
  }),
  resources: fc.array(
    fc.oneof(
      resourceOf('Provenance'),
      resourceOf('Provenance'),
      resourceOf('Observation'),
      resourceOf('Condition'),
      resourceOf('Practitioner'),
      resourceOf('Binary'),
    ),
    { minLength: 2, maxLength: 12 },
  ),
})
