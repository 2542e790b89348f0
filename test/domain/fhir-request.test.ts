import { describe, expect, test } from 'vitest'
import { bodyUseOf, type FhirRequest } from '../../src/domain/fhir-request.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { bundleOf, type Extras, readLine } from '../support/fhir-requests.ts'

function good(line: string, extras: Extras = {}): FhirRequest {
  const request = readLine(line, extras)
  if (isRefusal(request)) throw new Error(`${line}: ${request.detail}`)
  return request
}

describe('refused', () => {
  test.each<[string, string, string]>([
    ['POST /Patient/_search', 'name=%', 'body-invalid'],
    ['POST /Patient/_search', 'name=\ud800', 'body-invalid'],
    ['POST /Patient/_search', '_INCLUDE=x', 'target-ambiguous'],
    ['POST /Patient/_search?_Include=x', 'name=x', 'target-ambiguous'],
    ['POST /_search', '_type=Nothing', 'interaction-unknown'],
    ['POST /Nothing/_search', 'name=x', 'interaction-unknown'],
    ['POST /', '', 'body-invalid'],
    ['POST /', '{"resourceType":"Patient"}', 'body-invalid'],
    ['POST /?_format=json&_x=1', bundleOf('batch', []), 'target-ambiguous'],
  ])('%s with %j: %s', (line, body, code) => expect(readLine(line, { body })).toMatchObject({ code }))

  test('more parameters in URL and form together than the limit', () => {
    const query = (count: number): string => Array.from({ length: count }, () => 'a=1').join('&')
    expect(readLine(`POST /Patient/_search?${query(101)}`, { body: query(100) })).toMatchObject({
      code: 'body-invalid',
    })
    expect(isRefusal(readLine(`POST /Patient/_search?${query(100)}`, { body: query(100) }))).toBe(false)
  })
})

describe('what goes upstream', () => {
  test.each([
    ['GET /Patient/1', 'GET', '/Patient/1'],
    ['HEAD /Patient/1', 'HEAD', '/Patient/1'],
    ['GET /Patient/1/', 'GET', '/Patient/1'],
    ['GET /%50atient/1?_format=json', 'GET', '/Patient/1?_format=json'],
    ['GET /Patient?', 'GET', '/Patient'],
    ['GET /Patient?name=a|b&name=&active', 'GET', '/Patient?name=a%7Cb'],
    ['GET /Patient?name=a+b&name=c', 'GET', '/Patient?name=a%20b&name=c'],
    ['GET /?_type=Patient', 'GET', '?_type=Patient'],
    ['GET /', 'GET', ''],
    ['PUT /Patient/?identifier=x|1&name=', 'PUT', '/Patient?identifier=x%7C1'],
    ['DELETE /Patient?identifier=x;y', 'DELETE', '/Patient?identifier=x%3By'],
    ['GET /Patient/1/Observation?code=x', 'GET', '/Patient/1/Observation?code=x'],
    ['GET /Patient/1/*', 'GET', '/Patient/1/*'],
    ['GET /Patient/1/_history/2', 'GET', '/Patient/1/_history/2'],
    ['GET /Patient/%24everything', 'GET', '/Patient/$everything'],
    ['POST /Patient', 'POST', '/Patient'],
  ])('%s → %s %s', (line, method, path) => {
    expect(good(line)).toMatchObject({ method, path })
    expect(good(line)).not.toHaveProperty('body')
  })

  test('URL and form of a search by POST become one form, in that order', () => {
    expect(good('POST /Patient/_search?name=a&active=', { body: 'name=b+c&gender=&_id=1%7C2' })).toMatchObject({
      interaction: { code: 'search-type', type: 'Patient' },
      method: 'POST',
      path: '/Patient/_search',
      body: 'name=a&name=b%20c&_id=1%7C2',
      bodyUse: 'form',
    })
    expect(good('POST /_search', { body: '_type=Patient' })).toMatchObject({ path: '/_search', body: '_type=Patient' })
    expect(good('POST /Patient/_search')).toMatchObject({ path: '/Patient/_search', body: '' })
  })

  test('If-None-Exist is printed anew, and only for a create', () => {
    expect(good('POST /Patient', { ifNoneExist: 'identifier=http%3A%2F%2Fx|1&name=' }).ifNoneExist).toBe(
      'identifier=http://x%7C1',
    )
    expect(good('POST /Patient')).not.toHaveProperty('ifNoneExist')
    expect(good('PUT /Patient/1', { ifNoneExist: 'identifier=x' })).not.toHaveProperty('ifNoneExist')
  })

  test('a Bundle keeps its own parameters and text', () => {
    const body = bundleOf('transaction', [{ request: { method: 'GET', url: 'Patient/1' } }])
    expect(good('POST /?_format=json', { body })).toMatchObject({
      interaction: { code: 'transaction' },
      path: '?_format=json',
      body,
      required: [{ door: 'bundle', interaction: { code: 'read' } }],
    })
    expect(good('POST /', { body }).path).toBe('')
  })
})

describe('what the body is for', () => {
  test.each([
    ['GET', [], 'none'],
    ['HEAD', ['Patient', '1'], 'none'],
    ['DELETE', ['Patient', '1'], 'none'],
    ['OPTIONS', [], 'none'],
    ['POST', [], 'bundle'],
    ['POST', ['_search'], 'form'],
    ['POST', ['Patient', '_search'], 'form'],
    ['POST', ['Patient', '1', 'Observation', '_search'], 'form'],
    ['POST', ['Patient'], 'resource'],
    ['PUT', ['Patient', '1'], 'resource'],
    ['PATCH', ['Patient', '1'], 'patch'],
    ['POST', ['Binary'], 'stream'],
    ['PUT', ['Binary', '1'], 'stream'],
    ['GET', ['Patient', '_search'], 'none'],
  ] as const)('%s %j: %s', (method, segments, use) => {
    expect(bodyUseOf({ method, segments, parameters: [] })).toBe(use)
  })
})

test.each(['GET /metadata', 'GET /$export', 'POST /Patient/$match'])('%s states no access of its own', (line) => {
  expect(good(line).required).toEqual([])
})
