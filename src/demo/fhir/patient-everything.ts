// Patient/{id}/$everything: the patient, what is in the compartment, and what those resources refer to outside any
// compartment (practitioners, organizations, places, medications). `_type`, `_since`, `_count`; other patients never.

import { jsonAnswer } from './answers.ts'
import { membershipParameters, typesInCompartment } from './compartments.ts'
import { dateRange } from './date-range.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import { primitiveParameters } from './operation-parameters.ts'
import type { ResourceStore } from './resource-store.ts'
import { findIncluded } from './search-includes.ts'
import { type ReferenceValue, valuesOf } from './search-values.ts'
import type { StoredVersion } from './stored-version.ts'

export function patientEverything(request: FhirRequest, context: FhirContext): FhirAnswer {
  const id = request.segments[1]!
  const patient = context.store.current('Patient', id)
  if (patient === undefined) throw new FhirError(404, 'not-found', `Patient/${id} is not known`)
  const parameters = primitiveParameters(request)
  const value = (name: string): string | undefined => parameters.find(([key]) => key === name)?.[1] || undefined
  const types = value('_type')?.split(',')
  const since = value('_since')
  const from = since === undefined ? undefined : dateRange(since)
  if (since !== undefined && from === undefined) throw badRequest('_since takes an instant', 'value')
  const versions = [...membersOf(patient, context.store), ...linkedFrom(patient, context.store)].filter(
    (version) =>
      (types === undefined || types.includes(version.type)) && (from === undefined || version.updatedAt >= from.start),
  )
  const set = {
    bundleType: 'searchset' as const,
    versions,
    self: `/Patient/${id}/$everything${printQuery(parameters)}`,
    total: versions.length,
    includes: { include: [], revinclude: [] },
    subset: { summary: undefined, elements: undefined },
  }
  const count = Number(value('_count') ?? versions.length)
  if (!Number.isSafeInteger(count) || count < 0) throw badRequest('_count takes a whole number', 'value')
  return jsonAnswer(200, context.pages.print(set, 0, count || 1, request.base))
}

function printQuery(parameters: readonly (readonly [string, string])[]): string {
  const text = parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
  return text === '' ? '' : `?${text}`
}

/** The patient first, then the members of the compartment in the order of creation. Groups name others and stay out. */
export function membersOf(patient: StoredVersion, store: ResourceStore): StoredVersion[] {
  const members: StoredVersion[] = []
  for (const type of typesInCompartment('Patient')) {
    if (type === 'Patient' || type === 'Group') continue
    const parameters = membershipParameters('Patient', type)
    for (const version of store.references.sources(patient.key, type)) {
      const names = parameters.some((parameter) =>
        (valuesOf(version, parameter) as readonly ReferenceValue[]).some((value) => value.key === patient.key),
      )
      if (names) members.push(version)
    }
  }
  return [patient, ...members.sort((a, b) => a.order - b.order)]
}

function linkedFrom(patient: StoredVersion, store: ResourceStore): StoredVersion[] {
  const everything = { source: '*', parameter: '*', target: undefined, iterate: false }
  const linked = findIncluded(membersOf(patient, store), { include: [everything], revinclude: [] }, store)
  return linked.filter(({ type }) => type !== 'Patient' && membershipParameters('Patient', type).length === 0)
}
