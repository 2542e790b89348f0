// The Patient compartment: which patients a resource names, as what it is about (primary) or otherwise (secondary), and whether that
// puts it in the record of given patients (CompartmentDefinition; spec §4, contract §5; docs/decisions/0010).
// INVARIANT: what cannot be read for certain is outside, and never throws.

import { type Definitions, definitionsOf, type FhirVersion } from './definitions.ts'
import type { ElementPath } from './definitions-table.ts'
import { isObject, someElement } from './element-path.ts'
import { isOwn, type LiteralReference, parseReference } from './literal-reference.ts'

export interface NamedPatients {
  readonly primary: readonly LiteralReference[]
  readonly secondary: readonly LiteralReference[]
  /** A primary parameter may name a patient that we cannot tell: a logical, contained or masked reference, a broken shape. */
  readonly unclear: boolean
}

export interface CompartmentRule {
  readonly version: FhirVersion
  /** Ids of the patients, not `Patient/id`. */
  readonly patients: readonly string[]
  /** `primary`: secondary parameters count only where no primary one names any patient. `full`: either kind counts. */
  readonly mode: 'primary' | 'full'
  /** Bases, ours and the upstream's, below which an absolute reference is as good as a relative one; without a slash at the end. */
  readonly ownBases: readonly string[]
}

/** False for types that no patient is linked to: whether they are shared or closed is the caller's rule. */
export function isInPatientCompartment(resource: unknown, rule: CompartmentRule): boolean {
  const type = isObject(resource) ? resource['resourceType'] : undefined
  if (typeof type !== 'string') return false
  const ours = (reference: LiteralReference): boolean =>
    isOwn(reference, rule.ownBases) && rule.patients.includes(reference.id)
  switch (type) {
    case 'Patient':
      // By its id alone; `Patient.link` would bring in other people's records (spec §4.2).
      return (
        typeof (resource as { id?: unknown }).id === 'string' && rule.patients.includes((resource as { id: string }).id)
      )
    case 'Group':
      return false
    case 'Provenance': {
      const targets = provenanceTargets(resource)
      if (targets === undefined || !targets.every((target) => target.type === 'Patient' && ours(target))) return false
      // R5 names the patient in an element of its own, which must not speak of somebody else.
      const { primary, unclear } = patientsNamedBy(resource, type, rule.version)
      return primary.every(ours) && !unclear
    }
    default: {
      const { primary, secondary, unclear } = patientsNamedBy(resource, type, rule.version)
      if (primary.some(ours)) return true
      const secondaryCounts = rule.mode === 'full' || (primary.length === 0 && !unclear)
      return secondaryCounts && secondary.some(ours)
    }
  }
}

export function patientsNamedBy(resource: unknown, type: string, version: FhirVersion): NamedPatients {
  const { primary, secondary } = linkPaths(type, definitionsOf(version))
  const named = { primary: [] as LiteralReference[], secondary: [] as LiteralReference[], unclear: false }
  for (const path of primary) {
    someElement(resource, path, (element) => {
      const patient = patientIn(element)
      if (patient === 'unclear') named.unclear = true
      else if (patient !== 'other') named.primary.push(patient)
      return false
    })
  }
  for (const path of secondary) {
    someElement(resource, path, (element) => {
      const patient = patientIn(element)
      if (typeof patient === 'object') named.secondary.push(patient)
      return false
    })
  }
  return named
}

/** The top-level members of a resource of this type that may name patients. */
export function linkMembers(type: string, definitions: Definitions): readonly string[] {
  const { primary, secondary } = linkPaths(type, definitions)
  return [...primary, ...secondary].map(({ steps }) => steps[0]!.name)
}

/** What a Provenance is about, each to be decided by the rule of its own type; undefined where one of them cannot be told. */
export function provenanceTargets(resource: unknown): readonly LiteralReference[] | undefined {
  const targets = isObject(resource) ? resource['target'] : undefined
  if (!Array.isArray(targets) || targets.length === 0) return undefined
  const references: LiteralReference[] = []
  for (const target of targets as unknown[]) {
    const text = isObject(target) ? target['reference'] : undefined
    const reference = typeof text === 'string' ? parseReference(text) : undefined
    if (reference === undefined) return undefined
    references.push(reference)
  }
  return references
}

function patientIn(element: unknown): LiteralReference | 'other' | 'unclear' {
  if (!isObject(element)) return 'unclear'
  const { reference, type } = element
  if (typeof reference === 'string') {
    const literal = parseReference(reference)
    return literal === undefined ? 'unclear' : literal.type === 'Patient' ? literal : 'other'
  }
  // A logical reference may still say that it is no patient.
  return reference === undefined && typeof type === 'string' && /^[A-Z][A-Za-z]+$/.test(type) && type !== 'Patient'
    ? 'other'
    : 'unclear'
}

interface LinkPaths {
  readonly primary: readonly ElementPath[]
  readonly secondary: readonly ElementPath[]
}

const known: Readonly<Record<FhirVersion, Map<string, LinkPaths>>> = { R4: new Map(), R4B: new Map(), R5: new Map() }
const NONE: LinkPaths = { primary: [], secondary: [] }

function linkPaths(type: string, definitions: Definitions): LinkPaths {
  const found = known[definitions.version].get(type)
  if (found !== undefined) return found
  const links = definitions.patientLinks(type)
  if (links === undefined) return NONE
  const pathsOf = (codes: readonly string[]): ElementPath[] =>
    codes
      .flatMap((code) => definitions.searchParameter(type, code)?.paths ?? [])
      .filter(({ datatype }) => datatype === 'Reference')
  const paths = { primary: pathsOf(links.primary), secondary: pathsOf(links.secondary) }
  known[definitions.version].set(type, paths)
  return paths
}
