import { expect, test } from 'vitest'
import { mapWithRoute, said } from '../support/maps.ts'

const problems = (route: string) => said(mapWithRoute(route)).problems

test.each([
  '{ upstream: hapi, match: { GET /scopes: public } }',
  '{ upstream: hapi, match: { GET /a: public, "POST /scopes/{x}": public } }',
  '{ upstream: hapi, match: { GET /scopes/*: public } }',
  '{ upstream: hapi, match: { GET /scopes.json: public } }',
  '{ upstream: hapi, match: GET /scopes/matrix, requires: public }',
  '{ fhir: R4, path: /scopes, upstream: hapi, smart: true }',
  '{ fhir: R4, path: /scopes/R4, upstream: hapi, smart: true }',
])('%s claims what belongs to the gateway', (route) => {
  expect(problems(route).join('\n')).toMatch(/routes\.yaml:13:\d+: \/scopes.* belongs to the gateway/)
})

test.each([
  '{ upstream: hapi, match: { GET /scopes-of-work: public } }',
  '{ upstream: hapi, match: { GET /a/scopes: public } }',
  '{ upstream: hapi, match: { GET /*: public } }',
])('%s does not', (route) => {
  expect(problems(route)).toEqual([])
})
