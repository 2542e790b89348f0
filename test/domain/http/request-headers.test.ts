// What the parser lets through and two readers could understand in two ways is refused; all else is read once.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headerReader, type RequestLine, readRequestHeaders } from '../../../src/domain/http/request-headers.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'

const read = headerReader({ owned: ['X-Auth-Subject', 'X-Tenant'], apiKeyHeader: 'X-Key', limit: 2_000 })

function codeOf(fields: readonly string[], line?: Partial<RequestLine>): string {
  const headers = read(fields, { method: 'POST', httpVersion: '1.1', ...line })
  return isRefusal(headers) ? headers.code : 'read'
}

describe('refused', () => {
  test.each<[string, string[], string]>([
    ['a second Host', ['Host', 'a', 'host', 'a'], 'header-ambiguous'],
    ['a second Authorization', ['Authorization', 'Bearer a', 'authorization', 'Bearer a'], 'credential-ambiguous'],
    ['a second API key', ['X-Key', 'a', 'x-key', 'b'], 'credential-ambiguous'],
    ['a second Content-Length', ['Content-Length', '1', 'Content-Length', '1'], 'header-ambiguous'],
    [
      'a second Transfer-Encoding',
      ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
      'header-ambiguous',
    ],
    ['a second Content-Type', ['Content-Type', 'a/b', 'Content-Type', 'a/b'], 'header-ambiguous'],
    ['a second If-None-Exist', ['If-None-Exist', 'a=b', 'If-None-Exist', 'a=c'], 'header-ambiguous'],
    ['a second If-Match', ['If-Match', 'W/"1"', 'If-Match', 'W/"2"'], 'header-ambiguous'],
    ['a length beside chunks', ['Content-Length', '1', 'Transfer-Encoding', 'chunked'], 'header-ambiguous'],
    ['another coding', ['Transfer-Encoding', 'identity'], 'header-ambiguous'],
    ['several codings', ['Transfer-Encoding', 'gzip, chunked'], 'header-ambiguous'],
    ['a coding that is nearly chunked', ['Transfer-Encoding', 'chunked,'], 'header-ambiguous'],
    ['a coding with a vertical tab', ['Transfer-Encoding', '\x0bchunked'], 'header-ambiguous'],
    ['a length with a sign', ['Content-Length', '+1'], 'header-ambiguous'],
    ['a list of lengths', ['Content-Length', '1, 1'], 'header-ambiguous'],
    ['no length at all', ['Content-Length', ''], 'header-ambiguous'],
    ['a length beyond all numbers', ['Content-Length', '9'.repeat(17)], 'header-ambiguous'],
    ['obs-text', ['X-Note', 'caf\u00e9'], 'header-ambiguous'],
    ['a NUL', ['X-Note', 'a\0b'], 'header-ambiguous'],
    ['a delete character', ['X-Note', '\x7f'], 'header-ambiguous'],
    ['a host with a path', ['Host', 'a/b'], 'header-ambiguous'],
    ['a host with user information', ['Host', 'a@b'], 'header-ambiguous'],
    ['two hosts in one', ['Host', 'a, b'], 'header-ambiguous'],
    ['no host in its field', ['Host', ''], 'header-ambiguous'],
    ['a port of no host', ['Host', ':80'], 'header-ambiguous'],
    ['an address in brackets that has none', ['Host', '[1.2.3.4]'], 'header-ambiguous'],
    ['early data that changes something', ['Early-Data', '1'], 'too-early'],
    ['too many bytes', ['X-Note', 'x'.repeat(2_000)], 'headers-too-large'],
    ['too many fields', Array.from({ length: 202 }, (_, i) => (i % 2 === 0 ? `x-${i}` : '')), 'headers-too-large'],
  ])('%s', (_name, fields, code) => {
    expect(codeOf(fields)).toBe(code)
  })

  test.each(
    [
      'X_Auth_Subject',
      'X.Auth.Subject',
      'x_auth-subject',
      'X_Tenant',
      'X.Key',
      'Transfer_Encoding',
      'Content_Length',
      'Content.Length',
      'X_Forwarded_For',
      'x-forwarded_for',
      'X_Forwarded_Anything',
      'X_HTTP_Method_Override',
      'Proxy_Authorization',
      'Connection_',
      'Host_',
      'X_Original_URL',
      'X_Real_IP',
      'Cookie_',
      'X_Auth_Whatever',
      'If_None_Exist',
      'Prefer_',
      'Early.Data',
    ].filter((name) => !name.endsWith('_')),
  )('the alias %s', (name) => {
    expect(codeOf([name, 'x'])).toBe('header-ambiguous')
  })

  test.each(['GET', 'HEAD'])('a body on %s', (method) => {
    expect(codeOf(['Content-Length', '1'], { method })).toBe('body-invalid')
    expect(codeOf(['Transfer-Encoding', 'chunked'], { method })).toBe('body-invalid')
    expect(codeOf(['Content-Length', '0'], { method })).toBe('read')
  })

  test('a coding on HTTP/1.0, and versions that are neither', () => {
    expect(codeOf(['Transfer-Encoding', 'chunked'], { httpVersion: '1.0' })).toBe('header-ambiguous')
    expect(codeOf([], { httpVersion: '0.9' })).toBe('header-ambiguous')
    expect(codeOf([], { httpVersion: '2.0' })).toBe('header-ambiguous')
  })
})

describe('read', () => {
  test.each<[string, string[]]>([
    ['nothing', []],
    ['list fields twice', ['Accept', 'a/b', 'accept', 'c/d', 'Prefer', 'x', 'Prefer', 'y']],
    ['names of others with an underscore or a dot', ['my_trace.id', '1', 'X_Vendor', '2']],
    ['early data that is safe to repeat', []],
    ['hosts of every kind', ['Host', '[::1]:8080']],
    ['chunks, however they are spelled', ['Transfer-Encoding', 'Chunked']],
    ['a tab within a value', ['X-Note', 'a\tb']],
  ])('%s', (_name, fields) => {
    expect(codeOf(fields)).toBe('read')
  })

  test('early data on a safe method', () => {
    expect(codeOf(['Early-Data', '1'], { method: 'GET' })).toBe('read')
  })

  test('names without their case, lists joined, the length of the body', () => {
    const headers = read(['ACCEPT', 'a/b', 'Host', 'h', 'accept', 'c/d', 'Content-Length', '12'])
    if (isRefusal(headers)) throw new Error(headers.detail)
    expect(headers.get('accept')).toBe('a/b, c/d')
    expect(headers.get('host')).toBe('h')
    expect(headers.get('cookie')).toBeUndefined()
    expect(headers.get('constructor')).toBeUndefined()
    expect(headers.names).toEqual(['accept', 'host', 'accept', 'content-length'])
    expect(headers.bodyLength).toBe(12)
    const chunked = read(['Transfer-Encoding', 'chunked'])
    expect(!isRefusal(chunked) && chunked.bodyLength).toBeUndefined()
  })

  test('whatever is read holds each single field at most once and nothing but ASCII text', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'Host',
        'host',
        'HOST',
        'Authorization',
        'authorization',
        'Content-Length',
        'Accept',
        'X_Auth_Subject',
        'x-a',
      ),
      fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/),
    )
    const value = fc.oneof(fc.constantFrom('1', 'chunked', 'a'), fc.string({ unit: 'binary', maxLength: 5 }))
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (fields) => {
        const headers = readRequestHeaders(fields.flat())
        if (isRefusal(headers)) return
        for (const single of ['host', 'authorization', 'content-length']) {
          expect(headers.names.filter((each) => each === single).length).toBeLessThanOrEqual(1)
        }
        expect(headers.raw.join('')).toMatch(/^[\t\x20-\x7e]*$/)
        for (const [field] of fields) expect(headers.get(field.toLowerCase())).toBeDefined()
      }),
    )
  })
})
