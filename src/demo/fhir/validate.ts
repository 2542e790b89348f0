// $validate: the structure only. Type, id, mandatory elements of common types, JSON shapes that FHIR never has (null,
// empty arrays, objects and strings), references of a readable form. No profiles, no terminology.

import { type Issue, jsonAnswer, operationOutcome } from './answers.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { FhirError } from './fhir-error.ts'
import { resourceParameter } from './operation-parameters.ts'
import { isObject, isResource } from './resource.ts'
import { isId, RESOURCE_TYPES } from './resource-types.ts'

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  AllergyIntolerance: ['patient'],
  CarePlan: ['status', 'intent', 'subject'],
  Condition: ['subject'],
  Coverage: ['status', 'beneficiary', 'payor'],
  DiagnosticReport: ['status', 'code'],
  DocumentReference: ['status', 'content'],
  Encounter: ['status', 'class'],
  Goal: ['lifecycleStatus', 'description', 'subject'],
  Immunization: ['status', 'vaccineCode', 'patient'],
  MedicationRequest: ['status', 'intent', 'subject'],
  Observation: ['status', 'code'],
  Procedure: ['status', 'subject'],
  Provenance: ['target', 'recorded', 'agent'],
  RelatedPerson: ['patient'],
  ServiceRequest: ['status', 'intent', 'subject'],
}

export function validate(request: FhirRequest, context: FhirContext): FhirAnswer {
  const [type, id] = request.segments as [string, string]
  const stored = request.segments.length === 3 ? context.store.current(type, id) : undefined
  if (request.segments.length === 3 && stored === undefined)
    throw new FhirError(404, 'not-found', `${type}/${id} is not known`)
  const given = request.method === 'POST' ? resourceParameter(request, 'resource') : undefined
  const issues = check(given ?? stored?.resource, type)
  if (issues.length === 0)
    issues.push({ severity: 'information', code: 'informational', diagnostics: 'no issues found' })
  return jsonAnswer(200, operationOutcome(issues))
}

function check(resource: unknown, type: string): Issue[] {
  const issues: Issue[] = []
  const report = (code: Issue['code'], diagnostics: string, at: string): void => {
    issues.push({ severity: 'error', code, diagnostics, expression: [at] })
  }
  if (!isResource(resource)) {
    report('structure', 'there is no resource with a resourceType', type)
    return issues
  }
  if (!RESOURCE_TYPES.has(resource.resourceType))
    report('value', 'resourceType is not a resource type of FHIR R4', type)
  else if (resource.resourceType !== type) report('invalid', `this is a ${resource.resourceType}, not a ${type}`, type)
  if (resource.id !== undefined && (typeof resource.id !== 'string' || !isId(resource.id)))
    report('value', 'not a FHIR id', `${type}.id`)
  for (const element of REQUIRED[type] ?? []) {
    if (resource[element] === undefined) report('required', `${element} is required`, `${type}.${element}`)
  }
  walk(resource, type, report)
  return issues
}

const REFERENCE =
  /^(#.*|urn:(uuid|oid):.+|https?:\/\/.+|[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}(\/_history\/[A-Za-z0-9\-.]{1,64})?)$/

function walk(value: unknown, at: string, report: (code: Issue['code'], text: string, at: string) => void): void {
  if (value === null) report('structure', 'null has no meaning here', at)
  else if (value === '') report('value', 'a string must not be empty', at)
  else if (Array.isArray(value)) {
    if (value.length === 0) report('structure', 'an array must not be empty', at)
    for (const [i, item] of value.entries()) if (item !== null) walk(item, `${at}[${i}]`, report)
  } else if (isObject(value)) {
    const keys = Object.keys(value)
    if (keys.length === 0) report('structure', 'an object must not be empty', at)
    for (const key of keys) walk(value[key], `${at}.${key}`, report)
    const { reference } = value
    if (typeof reference === 'string' && !REFERENCE.test(reference))
      report('value', 'not a readable reference', `${at}.reference`)
  }
}
