// A search by POST: URL and form mean one search, are decided as one and go on as one form.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { type Rig, startRig } from '../support/rig.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

test.each<[name: string, target: string, body: string, arrived: string, form: string]>([
  ['the form alone', 'Observation/_search', 'code=a&status=final', '/base/Observation/_search', 'code=a&status=final'],
  ['the URL alone', 'Observation/_search?code=a', '', '/base/Observation/_search', 'code=a'],
  ['both, URL first', 'Observation/_search?code=a', 'code=b', '/base/Observation/_search', 'code=a&code=b'],
  [
    'the form, canonical',
    'Patient/_search',
    'name=%c3%bc+x&family=&given=a|b',
    '/base/Patient/_search',
    'name=%C3%BC%20x&given=a%7Cb',
  ],
  ['all types', '_search', '_type=Patient,Goal', '/base/_search', '_type=Patient,Goal'],
  ['a compartment', 'Patient/p1/Goal/_search', 'status=x', '/base/Patient/p1/Goal/_search', 'status=x'],
])('%s', async (_, target, body, arrived, form) => {
  const answer = await rig.ask(`POST /fhir/R4/${target}`, { scope: 'system/*.rs', headers: FORM, body })
  expect(answer.status, answer.text).toBe(200)
  const [request] = rig.upstream.arrived
  expect([request!.method, request!.url, request!.text]).toEqual(['POST', arrived, form])
  expect(request!.headers).toMatchObject({
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(form.length),
  })
})

test.each<[name: string, target: string, body: string, headers: Record<string, string>, verdict: string]>([
  [
    'an include in the form',
    'Observation/_search?code=a',
    '_include=Observation:subject:Patient',
    FORM,
    '403 scope-insufficient',
  ],
  [
    'an include in the URL',
    'Observation/_search?_include=Observation:subject:Patient',
    'code=a',
    FORM,
    '403 scope-insufficient',
  ],
  ['a chain in the form', 'Observation/_search', 'subject:Patient.name=x', FORM, '403 scope-insufficient'],
  ['a broken encoding', 'Observation/_search', 'code=%zz', FORM, '400 body-invalid'],
  ['not UTF-8', 'Observation/_search', 'code=%ff', FORM, '400 body-invalid'],
  [
    'another charset',
    'Observation/_search',
    'code=a',
    { 'content-type': `${FORM['content-type']}; charset=utf-7` },
    '400 body-invalid',
  ],
  ['compressed', 'Observation/_search', 'code=a', { ...FORM, 'content-encoding': 'gzip' }, '400 body-invalid'],
  ['JSON', 'Observation/_search', '{}', { 'content-type': 'application/json' }, '400 body-invalid'],
  ['an override of the method', 'Observation/_search', '_method=DELETE', FORM, '400 target-ambiguous'],
  [
    'more parameters than allowed, counted together',
    `Observation/_search?${'code=a&'.repeat(150)}`,
    'code=a&'.repeat(51),
    FORM,
    '400 body-invalid',
  ],
])('%s: refused', async (_, target, body, headers, verdict) => {
  const answer = await rig.ask(`POST /fhir/R4/${target}`, { scope: 'system/Observation.rs', headers, body })
  expect(verdictOf(answer), answer.text).toBe(verdict)
  expect(rig.upstream.arrived).toEqual([])
})

test('without a body and without a word about one: the URL alone, at once', async () => {
  const authorization = `Authorization: Bearer ${await rig.token('system/Patient.rs')}`
  const { text } = await exchangeRaw(rig.port, requestText('POST /fhir/R4/Patient/_search?name=x', [authorization]))
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  expect(rig.upstream.arrived.map(({ url, text }) => [url, text])).toEqual([['/base/Patient/_search', 'name=x']])
  const bundle = await exchangeRaw(rig.port, requestText('POST /fhir/R4', [authorization]))
  expect(refusalIn(bundle.text)).toBe('400 body-invalid')
})
