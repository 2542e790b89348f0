// Bulk Data Access 2.0 over HTTP: kick-off at three levels, status, files, cancellation.

import { jsonAnswer } from './answers.ts'
import { selectForExport } from './bulk-export-selection.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import { primitiveParameters } from './operation-parameters.ts'
import { membersOf } from './patient-everything.ts'
import { preferencesOf } from './preferences.ts'
import { asArray, isObject } from './resource.ts'
import type { StoredVersion } from './stored-version.ts'

const FORMATS = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson'])
const KNOWN = new Set(['_type', '_since', '_typeFilter', '_outputFormat', 'patient'])

export function exportSystem(request: FhirRequest, context: FhirContext): FhirAnswer {
  const { store } = context
  return kickOff(request, context, () => store.types().flatMap((type) => [...store.all(type)]))
}

export function exportPatients(request: FhirRequest, context: FhirContext): FhirAnswer {
  return kickOff(request, context, (patients) => compartmentsOf([...context.store.all('Patient')], patients, context))
}

export function exportGroup(request: FhirRequest, context: FhirContext): FhirAnswer {
  const group = context.store.current('Group', request.segments[1]!)
  if (group === undefined) throw new FhirError(404, 'not-found', `Group/${request.segments[1]} is not known`)
  const members = asArray(group.resource['member']).flatMap((member) => {
    const entity = isObject(member) ? member['entity'] : undefined
    const reference = isObject(entity) ? String(entity['reference'] ?? '') : ''
    return reference.startsWith('Patient/') ? (context.store.current('Patient', reference.slice(8)) ?? []) : []
  })
  return kickOff(request, context, (patients) => compartmentsOf(members, patients, context))
}

/** Only patients that the level covers: naming another one in `patient` never widens an export. */
function compartmentsOf(
  covered: readonly StoredVersion[],
  wanted: ReadonlySet<string> | undefined,
  { store }: FhirContext,
): StoredVersion[] {
  const chosen = covered.filter(({ key }) => wanted === undefined || wanted.has(key))
  return [...new Set(chosen.flatMap((patient) => membersOf(patient, store)))]
}

function kickOff(
  request: FhirRequest,
  context: FhirContext,
  collect: (patients: ReadonlySet<string> | undefined) => StoredVersion[],
): FhirAnswer {
  const preferences = preferencesOf(request)
  if (!preferences.async) throw badRequest('$export needs the header Prefer: respond-async', 'required')
  const parameters = primitiveParameters(request)
  const format = parameters.find(([name]) => name === '_outputFormat')?.[1]
  if (format !== undefined && !FORMATS.has(format.replace(' ', '+')))
    throw badRequest(`_outputFormat "${format}" is not offered`, 'not-supported')
  const unknown = parameters.find(([name]) => !KNOWN.has(name))?.[0]
  if (unknown !== undefined && preferences.strict) throw badRequest(`$export does not know ${unknown}`, 'not-supported')
  const patients = parameters.filter(([name]) => name === 'patient').flatMap(([, value]) => value.split(','))
  if (patients.length > 0 && (request.method !== 'POST' || request.segments.length === 1)) {
    throw badRequest('`patient` is for a POST at the Patient or Group level')
  }
  const all = collect(patients.length === 0 ? undefined : new Set(patients))
  const chosen = selectForExport(all, parameters, request, context)
  const address = `${request.base}/${request.segments.join('/')}`
  const query = request.query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  const job = context.exports.start(query === '' ? address : `${address}?${query}`, request.base, chosen)
  return { status: 202, headers: { 'content-location': `${request.base}/_export/${job.id}` } }
}

export function exportStatus(method: string, id: string, context: FhirContext): FhirAnswer {
  const job = context.exports.find(id)
  if (job === undefined) throw new FhirError(404, 'not-found', 'there is no such export')
  if (method === 'DELETE') {
    context.exports.remove(id)
    return { status: 202, headers: {} }
  }
  if (method !== 'GET') throw new FhirError(405, 'not-supported', 'an export is asked for by GET and ended by DELETE')
  if (!context.exports.isReady(job))
    return { status: 202, headers: { 'x-progress': 'in progress', 'retry-after': '1' } }
  const manifest = {
    transactionTime: job.transactionTime,
    request: job.request,
    requiresAccessToken: true,
    output: [...job.files].map(([name, { type, count }]) => ({
      type,
      url: `${job.base}/_export/${id}/${name}`,
      count,
    })),
    error: [],
  }
  return { ...jsonAnswer(200, manifest), headers: { 'content-type': 'application/json' } }
}

export function exportFile(method: string, id: string, name: string, context: FhirContext): FhirAnswer {
  const file = context.exports.find(id)?.files.get(name)
  if (file === undefined) throw new FhirError(404, 'not-found', 'there is no such file')
  if (method !== 'GET') throw new FhirError(405, 'not-supported', 'a file is read by GET')
  return { status: 200, headers: { 'content-type': 'application/fhir+ndjson' }, body: file.text }
}
