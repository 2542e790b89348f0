import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBundle } from '../../src/domain/fhir/bundle.ts'
import { definitionsOf } from '../../src/domain/fhir/definitions.ts'
import { readFhirRequest } from '../../src/domain/fhir-request.ts'
import { parseRequestTarget } from '../../src/domain/http/request-target.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { entryOf, lineOf, requests, targetText } from '../support/arbitraries.ts'
import { bundleOf, R4, readLine } from '../support/fhir-requests.ts'

const RUNS = { numRuns: 2000 }
const LIMITS = { bundleEntries: 10, searchParameters: 50 }
const method = fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'), fc.string())
const body = fc.oneof(fc.constant(''), fc.string({ unit: 'binary' }), fc.json(), fc.webQueryParameters())

test('Any request gives an interaction or a refusal, and never throws.', () => {
  const word = fc.constantFrom(
    'Patient',
    'Observation',
    '1',
    '_history',
    '_search',
    '*',
    '$x',
    'metadata',
    'Nothing',
    '..',
    '',
  )
  const segments = fc.oneof(fc.array(word, { maxLength: 5 }), fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }))
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '_has:Observation:patient:code',
      'subject.name',
      '_include',
      '_revinclude',
      '_sort',
      '_type',
      '_list',
      'a.b.c:d.e',
      '_has:_has:_has:',
    ),
  )
  const parameters = fc.array(fc.record({ name, value: fc.string({ unit: 'binary' }) }), { maxLength: 4 })
  const ifNoneExist = fc.option(fc.string({ unit: 'binary' }), { nil: undefined })
  const version = fc.constantFrom('R4' as const, 'R4B' as const, 'R5' as const)
  fc.assert(
    fc.property(fc.record({ method, segments, parameters, ifNoneExist }), body, version, (line, text, fhir) => {
      // Parameters come decoded from UTF-8, so they hold no half of a surrogate pair.
      fc.pre(line.parameters.every((parameter) => parameter.name.isWellFormed() && parameter.value.isWellFormed()))
      const read = readFhirRequest(line, text, LIMITS, definitionsOf(fhir))
      expect(isRefusal(read) ? read.status : read.method).toBeTruthy()
    }),
    RUNS,
  )
})

test('Any method and target on the wire give an interaction or a refusal, and what is sent is printable ASCII.', () => {
  fc.assert(
    fc.property(method, targetText, body, (verb, text, content) => {
      const target = parseRequestTarget(text)
      if (isRefusal(target)) return
      const read = readFhirRequest({ method: verb, ...target }, content, LIMITS, R4)
      if (isRefusal(read)) expect(read.status).toBeGreaterThanOrEqual(400)
      else expect(read.path).toMatch(/^(?:[/?][\x21-\x7e]*)?$/)
    }),
    RUNS,
  )
})

test('What is sent upstream reads as the interaction that was decided.', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const extras = request.ifNoneExist === undefined ? {} : { ifNoneExist: request.ifNoneExist }
      const first = readLine(lineOf(request), extras)
      if (isRefusal(first)) throw new Error(first.detail)
      const path = first.path.startsWith('/') ? first.path : `/${first.path}`
      const again = readLine(
        `${first.method} ${path}`,
        first.ifNoneExist === undefined ? {} : { ifNoneExist: first.ifNoneExist },
      )
      expect(again).toEqual(first)
    }),
    RUNS,
  )
})

test('A Bundle goes on with the bytes of the client, but for url and ifNoneExist, and reads as what was decided.', () => {
  fc.assert(
    fc.property(fc.array(requests, { minLength: 1, maxLength: 4 }), fc.constantFrom(0, 1, '\t'), (parts, space) => {
      fc.pre(parts.every(({ path, query }) => path !== '' || /=[^&]/.test(query)))
      const text = JSON.stringify(JSON.parse(bundleOf('transaction', parts.map(entryOf))), null, space)
      const first = readLine('POST /', { body: text })
      if (isRefusal(first)) throw new Error(first.detail)
      const sent = first.body!
      const blank = (json: string): string => json.replaceAll(/"(url|ifNoneExist)":( ?)"(?:[^"\\]|\\.)*"/g, '"$1":$2""')
      expect(blank(sent)).toBe(blank(text))
      const again = readLine('POST /', { body: sent })
      expect(!isRefusal(again) && again.body).toBe(sent)
      expect(!isRefusal(again) && again.required).toEqual(first.required)
    }),
    RUNS,
  )
})

test('Any text is a Bundle that can be read or a refusal, and never throws.', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('GET', 'POST', 'PUT', 'Patient/1', 'Patient?x=\ud800', 'identifier=\ud800', '?', ''),
    fc.jsonValue(),
  )
  const entry = fc.record(
    {
      request: fc.record({ method: value, url: value, ifNoneExist: value }, { requiredKeys: [] }),
      resource: fc.oneof(
        value,
        fc.record({ resourceType: value, id: value, subject: fc.record({ reference: value }) }, { requiredKeys: [] }),
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.array(entry, { maxLength: 3 }).map((entries) => bundleOf('batch', entries)),
      ),
      (text) => {
        const read = readBundle(text, { bundleEntries: 10, searchParameters: 10 }, R4)
        if (isRefusal(read)) expect(read.status).toBeGreaterThanOrEqual(400)
        else expect(read.entries.length).toBeGreaterThan(0)
      },
    ),
    RUNS,
  )
})
