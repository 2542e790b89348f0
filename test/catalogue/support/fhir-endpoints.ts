// The FHIR endpoints: Nexus in R4 and R5, and Prime. Observation/9001 is one of the launch patient's in the demo's data.

import type { Ask } from '../../support/http-client.ts'
import { type Endpoint, PATIENT } from './endpoint.ts'

const READ_PATIENT = [
  'cms.fhir.r4.read',
  'patient/Patient.read',
  'patient/*.read',
  'user/Patient.read',
  'system/*.read',
  'system/Patient.read',
]
const READ_OBSERVATION = ['cms.fhir.r4.read', 'patient/Observation.read', 'patient/*.read', 'system/*.read']
const READ_OTHERS = ['cms.fhir.r4.read', 'patient/*.read', 'system/*.read']
const WRITE = ['cms.fhir.rest.write', 'user/*.write', 'system/*.write']
const PUSH = ['cms.fhir.bundle.push', 'user/*.write', 'system/*.write']
/** Prime lets SMART scopes count; product scopes of Nexus mean nothing there. */
const SMART_READ_OBSERVATION = ['patient/Observation.read', 'patient/*.read', 'system/*.read']
const SMART_WRITE = ['user/*.write', 'system/*.write']

const json = (body: object): Ask => ({ body })
const patient = { reference: `Patient/${PATIENT}` }
const observation = { resourceType: 'Observation', status: 'final', code: { text: 'of a test' }, subject: patient }
const device = { resourceType: 'Device', patient }
const condition = { resourceType: 'Condition', subject: patient }
const OF_THE_SAME_NAME = { resourceType: 'Patient', name: [{ family: 'Bechtelar572' }], birthDate: '1996-08-07' }
/** As it is stored before the request, and as it is sent. */
const numbered = (resource: object): object => ({ ...resource, id: 'catalogue-{n}' })
const entry = (method: string, url: string, resource?: object): object => ({
  request: { method, url },
  ...(resource === undefined ? {} : { resource }),
})
const bundle = (type: 'batch' | 'transaction', ...entries: readonly object[]): Ask =>
  json({ resourceType: 'Bundle', type, entry: entries })
const form = (body: string): Ask => ({ body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
const ASYNC: Ask = { headers: { prefer: 'respond-async', accept: 'application/fhir+json' } }

const NEXUS: readonly Omit<Endpoint, 'behind'>[] = [
  // cms.fhir.r4.read: GET /fhir/R4/{ResourceType}, GET /fhir/R4/{ResourceType}/{id}
  { line: 'GET /fhir/R4/Patient', covers: READ_PATIENT, answers: 'Bundle' },
  { line: `GET /fhir/R4/Patient/${PATIENT}`, covers: READ_PATIENT, answers: 'Patient' },
  { line: 'GET /fhir/R4/Observation', covers: READ_OBSERVATION, answers: 'Bundle' },
  { line: 'GET /fhir/R4/Observation/9001', covers: READ_OBSERVATION, answers: 'Observation' },
  { line: 'POST /fhir/R4/Observation/_search', covers: READ_OBSERVATION, ask: form('_count=1'), answers: 'Bundle' },
  { line: 'GET /fhir/R4/Condition', covers: READ_OTHERS, answers: 'Bundle' },
  { line: 'GET /fhir/R4/Encounter', covers: READ_OTHERS, answers: 'Bundle' },
  { line: `GET /fhir/R4/Patient/${PATIENT}/Encounter`, covers: READ_OTHERS, answers: 'Bundle' },
  // cms.fhir.rest.write: POST /fhir/R4/{ResourceType}, PUT /fhir/R4/{ResourceType}/{id}
  { line: 'POST /fhir/R4/Observation', covers: WRITE, ask: json(observation) },
  {
    line: 'PUT /fhir/R4/Observation/catalogue-{n}',
    covers: WRITE,
    ask: json(numbered(observation)),
    stored: numbered(observation),
  },
  { line: 'DELETE /fhir/R4/Observation/catalogue-{n}', covers: WRITE, stored: numbered(observation) },
  // cms.fhir.bundle.push and system/*.write: POST /fhir/R4. The push loads; it does not delete, and it opens no single write.
  {
    line: 'POST /fhir/R4',
    note: 'transaction, creates',
    covers: PUSH,
    ask: bundle('transaction', entry('POST', 'Observation', observation)),
    answers: 'Bundle',
  },
  {
    line: 'POST /fhir/R4',
    note: 'batch, upserts',
    covers: PUSH,
    ask: bundle('batch', entry('PUT', 'Observation/catalogue-{n}', numbered(observation))),
    stored: numbered(observation),
    answers: 'Bundle',
  },
  {
    line: 'POST /fhir/R4',
    note: 'transaction, deletes',
    covers: SMART_WRITE,
    ask: bundle('transaction', entry('DELETE', 'Observation/catalogue-{n}')),
    stored: numbered(observation),
    answers: 'Bundle',
  },
  {
    line: 'POST /fhir/R4',
    note: 'batch, reads',
    covers: READ_PATIENT,
    ask: bundle('batch', entry('GET', `Patient/${PATIENT}`)),
    answers: 'Bundle',
  },
  // An ingest client may tell by search criteria what is there already; other writing scopes would need `s` for that.
  {
    line: 'POST /fhir/R4',
    note: 'transaction, creates unless there',
    covers: ['cms.fhir.bundle.push'],
    partly: SMART_WRITE,
    ask: bundle('transaction', {
      request: { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=urn:catalogue|{n}' },
      resource: { ...observation, identifier: [{ system: 'urn:catalogue', value: '{n}' }] },
    }),
    answers: 'Bundle',
  },
  // Operations: a product scope counts through the doors that its grant names, and none of them names operations or bulk.
  {
    line: `GET /fhir/R4/Patient/${PATIENT}/$everything`,
    covers: ['patient/*.read', 'system/*.read'],
    answers: 'Bundle',
  },
  {
    line: 'POST /fhir/R4/Observation/$validate',
    covers: SMART_READ_OBSERVATION,
    ask: json(observation),
    answers: 'OperationOutcome',
  },
  {
    line: `GET /fhir/R4/Observation/$lastn?patient=Patient/${PATIENT}`,
    covers: SMART_READ_OBSERVATION,
    answers: 'Bundle',
  },
  // Whose Patient resembles whom is nothing that one patient's app may ask.
  {
    line: 'POST /fhir/R4/Patient/$match',
    covers: ['user/Patient.read', 'system/*.read', 'system/Patient.read'],
    ask: json({
      resourceType: 'Parameters',
      parameter: [{ name: 'resource', resource: OF_THE_SAME_NAME }],
    }),
    answers: 'Bundle',
  },
  // system/*.read: GET /fhir/R4/$export; system/Patient.read: GET /fhir/R4/$export?_type=Patient
  // Without types an export is of everything that the scopes cover.
  {
    line: 'GET /fhir/R4/$export',
    covers: ['system/*.read', 'system/Patient.read'],
    within: { 'system/Patient.read': '_type=Patient' },
    ask: ASYNC,
  },
  { line: 'GET /fhir/R4/$export?_type=Patient', covers: ['system/*.read', 'system/Patient.read'], ask: ASYNC },
  { line: 'GET /fhir/R4/$export?_type=Patient,Observation', covers: ['system/*.read'], ask: ASYNC },
  {
    line: 'GET /fhir/R4/Patient/$export',
    covers: ['system/*.read', 'system/Patient.read'],
    within: { 'system/Patient.read': '_type=Patient' },
    ask: ASYNC,
  },
  { line: 'GET /fhir/R4/Group/1/$export', covers: ['system/*.read'], ask: ASYNC },
  { line: 'GET {status}', note: 'export of everything', covers: ['system/*.read'], exported: 'everything' },
  { line: 'GET {file}', note: 'export of everything', covers: ['system/*.read'], exported: 'everything' },
  {
    line: 'GET {status}',
    note: 'export of Patients',
    covers: ['system/*.read', 'system/Patient.read'],
    exported: 'Patient',
  },
  {
    line: 'GET {file}',
    note: 'export of Patients',
    covers: ['system/*.read', 'system/Patient.read'],
    exported: 'Patient',
  },
]

/** No SMART scopes there: cms.fhir.r5.read alone, and only for reading. */
const NEXUS_R5: readonly Omit<Endpoint, 'behind'>[] = [
  { line: 'GET /fhir/R5/Patient', covers: ['cms.fhir.r5.read'], answers: 'Bundle' },
  { line: `GET /fhir/R5/Patient/${PATIENT}`, covers: ['cms.fhir.r5.read'], answers: 'Patient' },
  { line: 'POST /fhir/R5/Observation', covers: [], ask: json(observation) },
  {
    line: 'POST /fhir/R5',
    note: 'transaction, creates',
    covers: [],
    ask: bundle('transaction', entry('POST', 'Observation', observation)),
  },
]

const PRIME_FHIR: readonly Omit<Endpoint, 'behind'>[] = [
  { line: 'GET /prime/fhir/R4/Observation', covers: SMART_READ_OBSERVATION, answers: 'Bundle' },
  { line: 'GET /prime/fhir/R4/Observation/9001', covers: SMART_READ_OBSERVATION, answers: 'Observation' },
  {
    line: 'POST /prime/fhir/R4/Observation',
    covers: ['prime.fhir.observation.write', ...SMART_WRITE],
    ask: json(observation),
  },
  {
    line: 'PUT /prime/fhir/R4/Observation/catalogue-{n}',
    covers: ['prime.fhir.observation.write', ...SMART_WRITE],
    ask: json(numbered(observation)),
    stored: numbered(observation),
  },
  { line: 'DELETE /prime/fhir/R4/Observation/catalogue-{n}', covers: SMART_WRITE, stored: numbered(observation) },
  { line: 'POST /prime/fhir/R4/Device', covers: ['prime.fhir.device.write', ...SMART_WRITE], ask: json(device) },
  {
    line: 'PUT /prime/fhir/R4/Device/catalogue-{n}',
    covers: ['prime.fhir.device.write', ...SMART_WRITE],
    ask: json(numbered(device)),
    stored: numbered(device),
  },
  { line: 'POST /prime/fhir/R4/Condition', covers: SMART_WRITE, ask: json(condition) },
  {
    line: 'POST /prime/fhir/R4',
    note: 'transaction, an Observation and a Device',
    covers: SMART_WRITE,
    together: ['prime.fhir.observation.write', 'prime.fhir.device.write'],
    ask: bundle('transaction', entry('POST', 'Observation', observation), entry('POST', 'Device', device)),
    answers: 'Bundle',
  },
]

export const FHIR_ENDPOINTS: readonly Endpoint[] = [
  ...NEXUS.map((one) => ({ ...one, behind: 'nexus' as const })),
  ...NEXUS_R5.map((one) => ({ ...one, behind: 'nexus-r5' as const })),
  ...PRIME_FHIR.map((one) => ({ ...one, behind: 'prime-fhir' as const })),
]
