// The launch patient's own Patient is known by its id, so a patch of it is not read along with what is stored. It must not make it another
// record: nothing that changes id or type, or that cannot be told not to, goes to a server that might let it.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, entryVerdicts, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.fill([{ resourceType: 'Patient', id: 'p1', gender: 'male' }]))

const JSON_PATCH = 'application/json-patch+json'
const FHIR_JSON = 'application/fhir+json'
const patch = (type: string, body: object): Promise<Answer> =>
  rig.ask('PATCH /fhir/R4/Patient/p1', {
    scope: 'patient/Patient.u',
    claims: { patient: 'p1' },
    headers: { 'content-type': type },
    body,
  })
const inBundle = (code: string, type: string, body: object): Promise<Answer> => {
  const data = Buffer.from(JSON.stringify(body)).toString('base64')
  const resource = { resourceType: 'Binary', contentType: type, data }
  return rig.ask('POST /fhir/R4', {
    scope: 'patient/Patient.u',
    claims: { patient: 'p1' },
    body: {
      resourceType: 'Bundle',
      type: code,
      entry: [{ resource, request: { method: 'PATCH', url: 'Patient/p1' } }],
    },
  })
}
const fhirPath = (path: string, value: object) => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: path },
        { name: 'value', ...value },
      ],
    },
  ],
})

describe('refused, and not written', () => {
  test.each<[string, string, object]>([
    ['another id', JSON_PATCH, [{ op: 'replace', path: '/id', value: 'p2' }]],
    ['another id in another spelling', JSON_PATCH, [{ op: 'add', path: '/Id', value: 'p2' }]],
    ['another type', JSON_PATCH, [{ op: 'add', path: '/resourceType', value: 'Person' }]],
    ['no id', JSON_PATCH, [{ op: 'remove', path: '/id' }]],
    ['another resource', JSON_PATCH, [{ op: 'replace', path: '', value: { resourceType: 'Patient', id: 'p2' } }]],
    ['a path that readers read differently', JSON_PATCH, [{ op: 'add', path: '/~0id', value: 'p2' }]],
    ['a FHIRPath Patch', FHIR_JSON, fhirPath('Patient.id', { valueId: 'p2' })],
    ['a FHIRPath Patch of anything', FHIR_JSON, fhirPath('Patient.gender', { valueCode: 'female' })],
  ])('%s', async (_, type, body) => {
    expect(verdictOf(await patch(type, body))).toBe('400 body-invalid')
    expect(entryVerdicts(await inBundle('batch', type, body))).toEqual(['400 body-invalid'])
    expect(verdictOf(await inBundle('transaction', type, body))).toBe('400 body-invalid')
    expect(rig.written()).toEqual([])
  })
})

test('a patch of anything else goes through, and what is stored is not asked for', async () => {
  const patches = [
    { op: 'replace', path: '/gender', value: 'female' },
    { op: 'add', path: '/identifier', value: [{ id: 'p2', value: 'x' }] },
  ]
  expect((await patch(JSON_PATCH, patches)).status).toBe(200)
  expect(rig.upstream.arrived.map(({ method }) => method)).toEqual(['PATCH'])
  expect(rig.stored('Patient', 'p1').gender).toBe('female')
})
