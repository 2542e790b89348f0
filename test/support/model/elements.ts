// Where the values of search parameters stand in R4 resources, for the types of the properties: written by hand from the R4
// specification, one function each, so that a wrong path in the generated tables shows.

export type Kind = 'token' | 'reference' | 'string' | 'date' | 'uri'

/** A value as it stands in the resource, with what the evaluation has to know of it. */
export type ModelValue =
  | { readonly as: 'code'; readonly system: unknown; readonly code: unknown }
  /** A plain code, and the code system that FHIR binds it to. */
  | { readonly as: 'bound code'; readonly system: string; readonly code: unknown }
  | { readonly as: 'identifier'; readonly system: unknown; readonly code: unknown }
  | { readonly as: 'boolean'; readonly value: unknown }
  | { readonly as: 'contact'; readonly value: unknown }
  | { readonly as: 'id'; readonly value: unknown }
  | { readonly as: 'reference'; readonly reference: unknown; readonly onlyPatient: boolean }
  | { readonly as: 'text'; readonly text: unknown }
  | { readonly as: 'date'; readonly date: unknown }
  | { readonly as: 'period'; readonly period: unknown }
  | { readonly as: 'uri'; readonly uri: unknown }

export interface ModelParameter {
  readonly kind: Kind
  /** Types that a bare id may stand for; empty for any. */
  readonly targets: readonly string[]
  values(resource: Loose): readonly ModelValue[]
}

// biome-ignore lint/suspicious/noExplicitAny: resources of tests are of many shapes, broken ones among them
export type Loose = any

const list = (value: Loose): Loose[] => (Array.isArray(value) ? value : [])
const isThing = (value: Loose): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const one = (value: Loose): Loose[] => (value === undefined || Array.isArray(value) ? [] : [value])

const coding = (value: Loose): ModelValue[] =>
  one(value)
    .filter(isThing)
    .map(({ system, code }) => ({ as: 'code', system, code }))
const concept = (value: Loose): ModelValue[] =>
  one(value)
    .filter(isThing)
    .flatMap((found) => list(found.coding).flatMap(coding))
const concepts = (value: Loose): ModelValue[] => list(value).flatMap(concept)
const bound = (system: string, value: Loose): ModelValue[] =>
  one(value).map((code) => ({ as: 'bound code', system, code }))
const identifiers = (value: Loose): ModelValue[] =>
  list(value)
    .filter(isThing)
    .map(({ system, value: code }) => ({ as: 'identifier', system, code }))
const reference = (value: Loose, onlyPatient = false): ModelValue[] =>
  one(value)
    .filter(isThing)
    .map((found) => ({ as: 'reference', reference: found.reference, onlyPatient }))
const references = (value: Loose): ModelValue[] => list(value).flatMap((found) => reference(found))
const text = (value: Loose): ModelValue[] => one(value).map((found) => ({ as: 'text', text: found }))
const date = (value: Loose): ModelValue[] => one(value).map((found) => ({ as: 'date', date: found }))
const period = (value: Loose): ModelValue[] => one(value).map((found) => ({ as: 'period', period: found }))

const token = (values: ModelParameter['values']): ModelParameter => ({ kind: 'token', targets: [], values })
const dated = (values: ModelParameter['values']): ModelParameter => ({ kind: 'date', targets: [], values })
const refers = (targets: string, values: ModelParameter['values']): ModelParameter => ({
  kind: 'reference',
  targets: targets === '' ? [] : targets.split(' '),
  values,
})
const patient = (element: string): ModelParameter => refers('Patient', (found) => reference(found[element], true))

const human = (value: Loose): ModelValue[] =>
  list(value)
    .filter(isThing)
    .flatMap((name) => [
      ...['text', 'family'].flatMap((part) => text(name[part])),
      ...['given', 'prefix', 'suffix'].flatMap((part) => list(name[part]).flatMap(text)),
    ])

const COMMON: Readonly<Record<string, ModelParameter>> = {
  _id: token(({ id }) => [{ as: 'id', value: id }]),
  _lastUpdated: dated(({ meta }) => (isThing(meta) ? date(meta.lastUpdated) : [])),
  _tag: token(({ meta }) => (isThing(meta) ? list(meta.tag).flatMap(coding) : [])),
  _security: token(({ meta }) => (isThing(meta) ? list(meta.security).flatMap(coding) : [])),
  _profile: {
    kind: 'uri',
    targets: [],
    values: ({ meta }) => (isThing(meta) ? list(meta.profile).map((uri) => ({ as: 'uri', uri })) : []),
  },
}

const OBSERVED = 'Device Group Location Patient'
const ABOUT = 'Group Patient'

const OWN: Readonly<Record<string, Readonly<Record<string, ModelParameter>>>> = {
  Patient: {
    name: { kind: 'string', targets: [], values: ({ name }) => human(name) },
    family: {
      kind: 'string',
      targets: [],
      values: ({ name }) =>
        list(name)
          .filter(isThing)
          .flatMap((each) => text(each.family)),
    },
    gender: token(({ gender }) => bound('http://hl7.org/fhir/administrative-gender', gender)),
    active: token(({ active }) => one(active).map((value) => ({ as: 'boolean', value }))),
    phone: token(({ telecom }) =>
      list(telecom)
        .filter((each) => isThing(each) && each.system === 'phone')
        .map(({ value }) => ({ as: 'contact', value })),
    ),
    identifier: token(({ identifier }) => identifiers(identifier)),
    birthdate: dated(({ birthDate }) => date(birthDate)),
    'general-practitioner': refers('Organization Practitioner PractitionerRole', (found) =>
      references(found.generalPractitioner),
    ),
  },
  Observation: {
    category: token(({ category }) => concepts(category)),
    code: token(({ code }) => concept(code)),
    'combo-code': token(({ code, component }) => [
      ...concept(code),
      ...list(component)
        .filter(isThing)
        .flatMap((each) => concept(each.code)),
    ]),
    status: token(({ status }) => bound('http://hl7.org/fhir/observation-status', status)),
    identifier: token(({ identifier }) => identifiers(identifier)),
    date: dated(({ effectiveDateTime, effectivePeriod, effectiveInstant }) => [
      ...date(effectiveDateTime),
      ...period(effectivePeriod),
      ...date(effectiveInstant),
    ]),
    'value-string': {
      kind: 'string',
      targets: [],
      values: ({ valueString, valueCodeableConcept }) => [
        ...text(valueString),
        ...one(valueCodeableConcept)
          .filter(isThing)
          .flatMap((each) => text(each.text)),
      ],
    },
    subject: refers(OBSERVED, (found) => reference(found.subject)),
    patient: patient('subject'),
    performer: refers('CareTeam Organization Patient Practitioner PractitionerRole RelatedPerson', (found) =>
      references(found.performer),
    ),
  },
  Condition: {
    category: token(({ category }) => concepts(category)),
    code: token(({ code }) => concept(code)),
    'clinical-status': token(({ clinicalStatus }) => concept(clinicalStatus)),
    'onset-date': dated(({ onsetDateTime, onsetPeriod }) => [...date(onsetDateTime), ...period(onsetPeriod)]),
    subject: refers(ABOUT, (found) => reference(found.subject)),
    patient: patient('subject'),
    asserter: refers('Patient Practitioner PractitionerRole RelatedPerson', (found) => reference(found.asserter)),
  },
  Encounter: {
    class: token(({ class: found }) => coding(found)),
    status: token(({ status }) => bound('http://hl7.org/fhir/encounter-status', status)),
    date: dated(({ period: found }) => period(found)),
    subject: refers(ABOUT, (found) => reference(found.subject)),
    patient: patient('subject'),
  },
  DocumentReference: {
    category: token(({ category }) => concepts(category)),
    type: token(({ type }) => concept(type)),
    subject: refers('Device Group Patient Practitioner', (found) => reference(found.subject)),
    patient: patient('subject'),
    author: refers('Device Organization Patient Practitioner PractitionerRole RelatedPerson', (found) =>
      references(found.author),
    ),
  },
  MedicationRequest: {
    intent: token(({ intent }) => bound('http://hl7.org/fhir/CodeSystem/medicationrequest-intent', intent)),
    subject: refers(ABOUT, (found) => reference(found.subject)),
    patient: patient('subject'),
    medication: refers('Medication', (found) => reference(found.medicationReference)),
  },
  Coverage: {
    status: token(({ status }) => bound('http://hl7.org/fhir/fm-status', status)),
    beneficiary: refers('Patient', (found) => reference(found.beneficiary)),
    patient: refers('Patient', (found) => reference(found.beneficiary)),
    payor: refers('Organization Patient RelatedPerson', (found) => references(found.payor)),
  },
  Device: { type: token(({ type }) => concept(type)), patient: refers('Patient', (found) => reference(found.patient)) },
  Task: {
    intent: token(({ intent }) => bound('http://hl7.org/fhir/task-intent', intent)),
    subject: refers('', (found) => reference(found.for)),
    patient: refers('Patient', (found) => reference(found.for, true)),
  },
  Communication: {
    category: token(({ category }) => concepts(category)),
    subject: refers(ABOUT, (found) => reference(found.subject)),
    patient: patient('subject'),
    sender: refers(
      'CareTeam Device HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson',
      (found) => reference(found.sender),
    ),
  },
  AdverseEvent: { subject: refers('Group Patient Practitioner RelatedPerson', (found) => reference(found.subject)) },
  Appointment: {
    status: token(({ status }) => bound('http://hl7.org/fhir/appointmentstatus', status)),
    actor: refers(
      'Device HealthcareService Location Patient Practitioner PractitionerRole RelatedPerson',
      ({ participant }) =>
        list(participant)
          .filter(isThing)
          .flatMap((each) => reference(each.actor)),
    ),
    patient: refers('Patient', ({ participant }) =>
      list(participant)
        .filter(isThing)
        .flatMap((each) => reference(each.actor, true)),
    ),
  },
  List: {
    subject: refers('Device Group Location Patient', (found) => reference(found.subject)),
    patient: patient('subject'),
  },
  Group: {
    member: refers('', ({ member }) =>
      list(member)
        .filter(isThing)
        .flatMap((each) => reference(each.entity)),
    ),
  },
  Provenance: { target: refers('', (found) => references(found.target)) },
  Practitioner: {
    name: { kind: 'string', targets: [], values: ({ name }) => human(name) },
    identifier: token(({ identifier }) => identifiers(identifier)),
  },
  Organization: {
    name: { kind: 'string', targets: [], values: ({ name, alias }) => [...text(name), ...list(alias).flatMap(text)] },
  },
  Medication: { code: token(({ code }) => concept(code)) },
  Questionnaire: {
    url: { kind: 'uri', targets: [], values: ({ url }) => one(url).map((uri) => ({ as: 'uri', uri })) },
    status: token(({ status }) => bound('http://hl7.org/fhir/publication-status', status)),
    title: { kind: 'string', targets: [], values: ({ title }) => text(title) },
  },
  Binary: {},
  ValueSet: { url: { kind: 'uri', targets: [], values: ({ url }) => one(url).map((uri) => ({ as: 'uri', uri })) } },
}

export const MODEL_TYPES: readonly string[] = Object.keys(OWN)

/** Undefined where the specification gives none, or none that can be evaluated on the resource alone. */
export function modelParameter(type: string, name: string): ModelParameter | undefined {
  const own = Object.hasOwn(OWN, type) ? OWN[type]! : {}
  if (Object.hasOwn(own, name)) return own[name]
  return Object.hasOwn(COMMON, name) ? COMMON[name] : undefined
}
