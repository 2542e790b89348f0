// `_summary` and `_elements`: a resource with fewer elements, tagged SUBSETTED so that nobody writes it back.

import type { Resource } from './resource.ts'
import type { StoredVersion } from './stored-version.ts'

export interface Subset {
  readonly summary: string | undefined
  readonly elements: readonly string[] | undefined
}

/** Summary elements by the R4 definitions; `value*` stands for a choice. Observation.category is really not among them. */
const SUMMARY: Readonly<Record<string, string>> = {
  Condition:
    'identifier clinicalStatus verificationStatus code bodySite subject encounter onset* recordedDate recorder asserter',
  DiagnosticReport:
    'identifier status category code subject encounter effective* issued performer resultsInterpreter media',
  DocumentReference:
    'masterIdentifier identifier status type category subject date author relatesTo description content',
  Encounter: 'identifier status class type serviceType subject episodeOfCare participant appointment diagnosis',
  MedicationRequest: 'status intent priority doNotPerform reported* medication* subject authoredOn requester basedOn',
  Observation:
    'identifier basedOn partOf status code subject focus encounter effective* issued performer value* hasMember derivedFrom component',
  Patient: 'identifier active name telecom gender birthDate deceased* address managingOrganization link',
  Procedure:
    'identifier basedOn partOf status category code subject encounter performed* performer location reasonCode bodySite',
}

const ALWAYS = ['resourceType', 'id', 'meta']
/** What must be there in every representation, if it is there at all. */
const MANDATORY = ['status', 'code', 'subject', 'patient', 'intent', 'class', 'type', 'beneficiary', 'target', 'agent']
const BULKY = ['text', 'contained', 'extension', 'note', 'photo', 'presentedForm', 'item', 'addItem', 'supportingInfo']

export function printSubset(version: StoredVersion, subset: Subset): string {
  const keep = keepFor(version.type, subset)
  return keep === undefined ? version.json! : JSON.stringify(reduce(version.resource, keep))
}

type Keep = (element: string) => boolean

function keepFor(type: string, { summary, elements }: Subset): Keep | undefined {
  if (elements !== undefined) {
    const wanted = new Set([...ALWAYS, ...elements.map((e) => e.replace(new RegExp(`^${type}\\.`), '').split('.')[0]!)])
    return (element) => wanted.has(element) || MANDATORY.includes(element)
  }
  switch (summary) {
    case 'true': {
      const listed = SUMMARY[type]?.split(' ')
      if (listed === undefined) return (element) => !BULKY.includes(element)
      return (element) => ALWAYS.includes(element) || listed.some((name) => names(name, element))
    }
    case 'text':
      return (element) => element === 'text' || ALWAYS.includes(element) || MANDATORY.includes(element)
    case 'data':
      return (element) => element !== 'text'
    default:
      return undefined
  }
}

function names(pattern: string, element: string): boolean {
  return pattern.endsWith('*') ? element.startsWith(pattern.slice(0, -1)) : pattern === element
}

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

function reduce(resource: Resource, keep: Keep): object {
  const kept = Object.fromEntries(Object.entries(resource).filter(([element]) => keep(element.replace(/^_/, ''))))
  const tags = Array.isArray(resource.meta?.['tag']) ? resource.meta['tag'] : []
  return { ...kept, meta: { ...resource.meta, tag: [...tags, SUBSETTED] } }
}
