// Whose record a resource is (spec §4.2–§4.4, contract §5), written out type by type. Shares no code with src/.

import type { Loose } from './elements.ts'
import { isOurs, type ModelReference, readReference } from './references.ts'

interface Links {
  readonly primary: (resource: Loose) => readonly unknown[]
  readonly secondary: (resource: Loose) => readonly unknown[]
}

/** What stands where a reference should: a member that is there but not in the shape that FHIR gives it is told as undefined. */
const single = (owner: Loose, name: string): unknown[] => {
  if (owner === null || typeof owner !== 'object' || Array.isArray(owner)) return [undefined]
  if (owner[name] === undefined) return []
  return [Array.isArray(owner[name]) ? undefined : owner[name]]
}
const several = (owner: Loose, name: string): unknown[] => {
  if (owner === null || typeof owner !== 'object' || Array.isArray(owner)) return [undefined]
  if (owner[name] === undefined) return []
  return Array.isArray(owner[name]) ? owner[name] : [undefined]
}
const none = (): unknown[] => []
const subject: Links['primary'] = (resource) => single(resource, 'subject')

const LINKS: Readonly<Record<string, Links>> = {
  AdverseEvent: { primary: subject, secondary: none },
  Appointment: {
    primary: (found) => several(found, 'participant').flatMap((each) => single(each, 'actor')),
    secondary: none,
  },
  Communication: {
    primary: subject,
    secondary: (found) => [...single(found, 'sender'), ...several(found, 'recipient')],
  },
  Condition: { primary: subject, secondary: (found) => single(found, 'asserter') },
  Coverage: {
    primary: (found) => single(found, 'beneficiary'),
    secondary: (found) => [
      ...single(found, 'policyHolder'),
      ...single(found, 'subscriber'),
      ...several(found, 'payor'),
    ],
  },
  Device: { primary: (found) => single(found, 'patient'), secondary: none },
  DocumentReference: { primary: subject, secondary: (found) => several(found, 'author') },
  Encounter: { primary: subject, secondary: none },
  List: { primary: subject, secondary: (found) => single(found, 'source') },
  MedicationRequest: { primary: subject, secondary: none },
  Observation: { primary: subject, secondary: (found) => several(found, 'performer') },
  Task: { primary: (found) => single(found, 'for'), secondary: none },
}

/** Their own scope by name opens them, `*` does not. */
export const SEVERAL_PATIENTS: readonly string[] = ['Appointment', 'List']

export function hasPatientLink(type: string): boolean {
  return type === 'Patient' || type === 'Provenance' || Object.hasOwn(LINKS, type)
}

export interface CompartmentSetting {
  readonly compartment: 'primary' | 'full'
  readonly ownBases: readonly string[]
}

/** `surely`: a search by the primary parameter with relative references finds it too. Provenance is told by what it is about, elsewhere. */
export function isRecordOf(
  resource: Loose,
  patients: readonly string[],
  { compartment, ownBases }: CompartmentSetting,
): 'no' | 'perhaps' | 'surely' {
  if (resource.resourceType === 'Patient') return patients.includes(resource.id) ? 'surely' : 'no'
  const links = LINKS[resource.resourceType]
  if (links === undefined) return 'no'
  let namesSomebody = false
  const found: ('perhaps' | 'surely')[] = []
  for (const element of links.primary(resource)) {
    const meant = patientMeant(element)
    if (meant === 'nobody') continue
    namesSomebody = true
    if (meant === 'cannot tell') continue
    if (!isOurs(meant, ownBases) || !patients.includes(meant.id)) continue
    found.push((element as Loose).reference === `Patient/${meant.id}` ? 'surely' : 'perhaps')
  }
  if (found.length > 0) return found.includes('surely') ? 'surely' : 'perhaps'
  if (compartment === 'primary' && namesSomebody) return 'no'
  for (const element of links.secondary(resource)) {
    const meant = patientMeant(element)
    if (typeof meant === 'object' && isOurs(meant, ownBases) && patients.includes(meant.id)) return 'perhaps'
  }
  return 'no'
}

/** What may be written in a patient's name: it names that patient and, where its subject stands, nobody else and nobody unclear. */
export function isOnlyOf(resource: Loose, patient: string, { ownBases }: CompartmentSetting): boolean {
  const isThis = (one: unknown): boolean => {
    const meant = patientMeant(one)
    return typeof meant === 'object' && isOurs(meant, ownBases) && meant.id === patient
  }
  if (resource.resourceType === 'Patient') return resource.id === patient
  if (resource.resourceType === 'Provenance')
    return Array.isArray(resource.target) && resource.target.length > 0 && resource.target.every(isThis)
  const links = LINKS[resource.resourceType]
  if (links === undefined) return false
  const subjects = links.primary(resource).filter((one) => patientMeant(one) !== 'nobody')
  return subjects.length > 0 ? subjects.every(isThis) : links.secondary(resource).some(isThis)
}

function patientMeant(element: unknown): ModelReference | 'nobody' | 'cannot tell' {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return 'cannot tell'
  const { reference, type } = element as Loose
  if (typeof reference === 'string') {
    const named = readReference(reference)
    if (named === undefined) return 'cannot tell'
    return named.type === 'Patient' ? named : 'nobody'
  }
  if (reference === undefined && typeof type === 'string' && /^[A-Z][A-Za-z]+$/.test(type) && type !== 'Patient')
    return 'nobody'
  return 'cannot tell'
}
