import { expect, test } from 'vitest'
import { acceptedFormats } from '../../src/domain/answer-format.ts'

test.each<[accept: string | undefined, format: string | undefined, prefersXml: boolean, json: boolean]>([
  [undefined, undefined, false, true],
  ['', undefined, false, true],
  ['*/*', undefined, false, true],
  ['application/fhir+json', undefined, false, true],
  ['application/json', undefined, false, true],
  ['application/fhir+xml', undefined, true, false],
  ['application/xml', undefined, true, false],
  ['text/xml;q=0.5', undefined, true, false],
  ['Application/FHIR+XML', undefined, true, false],
  ['application/fhir+xml;q=1.0, application/fhir+json;q=0.8', undefined, true, true],
  ['application/fhir+json, application/fhir+xml', undefined, false, true],
  ['application/fhir+xml, application/fhir+json', undefined, true, true],
  ['application/fhir+xml;q=0.4, application/fhir+json;q=0.8', undefined, false, true],
  ['application/fhir+xml;q=0, application/fhir+json', undefined, false, true],
  ['application/fhir+xml, */*', undefined, true, true],
  ['application/fhir+xml;q=0.2, */*;q=0.8', undefined, false, true],
  ['application/fhir+xml, application/fhir+json;q=0, */*', undefined, true, false],
  ['application/fhir+xml;fhirVersion=4.0;q=0.9, text/html', undefined, true, false],
  ['text/html', undefined, false, true],
  ['application/fhir+xml;q=oops', undefined, true, false],
  ['application/fhir+xml', 'json', false, true],
  ['application/fhir+xml', 'application/fhir json', false, true],
  ['application/fhir+json', 'xml', true, false],
  ['application/fhir+json', 'application/fhir xml', true, false],
  ['application/fhir+json', 'application/fhir+xml; fhirVersion=4.0', true, false],
  ['application/fhir+xml', '', true, false],
  ['application/fhir+xml', 'html', false, true],
])('Accept %s, _format %s', (accept, format, prefersXml, json) => {
  expect(acceptedFormats(accept, format)).toEqual({ prefersXml, json })
})
