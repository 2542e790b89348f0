import { describe, expect, test } from 'vitest'
import { mapWithRoute, said } from '../support/maps.ts'

const lines = (...matches: string[]) =>
  said(mapWithRoute(`{ upstream: hapi, match: { ${matches.map((line) => `"${line}": public`).join(', ')} } }`)).problems

describe('could match the same request equally', () => {
  test.each([
    ['GET /a/{x}', 'GET /a/{y}'],
    ['GET /a/{x}', 'GET /a/*'],
    ['GET /a', 'GET /a/*'],
    ['GET /a/{x}/b', 'GET /a/{y}/*'],
    ['GET /a/{x}/b', 'GET /a/{y}/{z}'],
    ['HEAD /a', 'GET /a'],
    ['GET /fhir/{x}', 'GET /b'],
    ['POST /fhir', 'GET /b'],
    ['GET /{x}', 'GET /*'],
  ])('%s and %s', (...pair) => {
    expect(lines(...pair).join()).toContain('could match the same request equally')
  })
})

describe('are told apart', () => {
  test.each([
    ['GET /a/{x}', 'POST /a/{x}'],
    ['GET /a/{x}', 'GET /a/b'],
    ['GET /a/{x}', 'GET /a/{x}/b'],
    ['GET /a/{x}/b', 'GET /a/{x}/c'],
    ['GET /a/*', 'GET /a/b/*'],
    ['GET /fhir/docs/{x}', 'GET /fhirx'],
    ['GET /*', 'GET /a/*'],
  ])('%s and %s', (...pair) => {
    expect(lines(...pair)).toEqual([])
  })
})

test('two FHIR routes on one path, and one below another', () => {
  const second = (path: string) =>
    said(mapWithRoute(`{ fhir: R5, path: ${path}, upstream: hapi, smart: true }`)).problems
  expect(second('/fhir')).toEqual([
    'routes.yaml:13:23: /fhir and /fhir could match the same request equally; make one more specific',
  ])
  expect(second('/fhir/')).toHaveLength(1)
  expect(second('/fhir/R5')).toEqual([])
})
