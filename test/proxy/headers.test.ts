// Which fields cross the gateway, in which direction, and whose word they are.

import { describe, expect, test } from 'vitest'
import type { GrantFacts } from '../../src/domain/grant.ts'
import { readRequestHeaders } from '../../src/domain/http/request-headers.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { compileInbound } from '../../src/proxy/answer-headers.ts'
import { compileOutbound, type OutboundRequest, type OutboundRoute } from '../../src/proxy/headers.ts'
import { compilePublicUrls } from '../../src/proxy/public-url.ts'

const identityHeaders = {
  subject: 'X-Auth-Subject',
  client: 'X-Auth-Client',
  user: 'X-User',
  patient: 'X-Auth-Patient',
  scope: 'X-Auth-Scope',
}
const facts = {
  owned: [...Object.values(identityHeaders), 'X-API-Key', 'X-Elsewhere'],
  publicUrl: 'https://api.example.org/base',
}

const grant: GrantFacts = {
  kind: 'bearer',
  subject: 'alice',
  client: 'app',
  fhirUser: 'Practitioner/7',
  audience: [],
  scopes: ['user/*.rs', 'openid'],
  patients: ['p1', 'p2'],
  expiresAt: 1,
}

function outbound(
  fields: readonly string[],
  route: Partial<OutboundRoute> = {},
  request: Partial<OutboundRequest> = {},
): [string, string][] {
  const headers = readRequestHeaders(fields, { method: 'POST', httpVersion: '1.1' })
  if (isRefusal(headers)) throw new Error(headers.detail)
  const flat = compileOutbound(
    { kind: 'fhir', authorization: 'none', identityHeaders, ...route },
    facts,
  )({
    headers,
    grant: undefined,
    requestId: 'r1',
    clientAddress: '192.0.2.1',
    bodyUnchanged: true,
    ...request,
  })
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!])
}

const OURS: [string, string][] = [
  ['x-forwarded-host', 'api.example.org'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-for', '192.0.2.1'],
  ['x-request-id', 'r1'],
  ['via', '1.1 scopegate'],
]

describe('to the upstream', () => {
  test('what the client asks for goes as it came, in lower case, and ours are added', () => {
    expect(outbound(['Accept', 'application/fhir+json', 'Prefer', 'return=minimal', 'If-Match', 'W/"1"'])).toEqual([
      ['accept', 'application/fhir+json'],
      ['prefer', 'return=minimal'],
      ['if-match', 'W/"1"'],
      ...OURS,
    ])
    expect(outbound(['X-Custom', 'a'], { kind: 'plain' })).toEqual([['x-custom', 'a'], ...OURS])
  })

  test.each(['X-Cascade', 'X-Provenance', 'X-Rewrite-History', 'X-Security-Context', 'X-Custom', 'Cookie'])(
    'to a FHIR endpoint %s does not go: a server may give it powers that no scope was asked for',
    (name) => {
      expect(outbound([name, 'delete'])).toEqual(OURS)
    },
  )

  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Upgrade',
    'HTTP2-Settings',
    'Host',
    'Expect',
    'Authorization',
    'X-API-Key',
    'Cookie',
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Original-URL',
    'X-Rewrite-URL',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Prefix',
    'X-Forwarded',
    'X-Real-IP',
    'X-Request-Id',
    'X-Auth-Subject',
    'X-AUTH-SUBJECT',
    'X-User',
    'X-Auth-Anything',
    'X-Elsewhere',
    'X-Scopegate-Observed',
    'Early-Data',
  ])('%s stays here', (name) => {
    const value = name === 'Host' ? 'evil.example' : 'evil'
    const line = { httpVersion: '1.1', method: 'GET' }
    const headers = readRequestHeaders([name, value], line)
    if (isRefusal(headers)) throw new Error(headers.detail)
    const flat = compileOutbound(
      { kind: 'fhir', authorization: 'none' },
      facts,
    )({
      headers,
      grant: undefined,
      requestId: 'r1',
      clientAddress: '192.0.2.1',
      bodyUnchanged: true,
    })
    expect(flat.join('\n')).not.toContain('evil')
  })

  test('what Connection nominates stays here, but never one of ours', () => {
    const sent = outbound(
      ['Connection', 'close, X-Custom ,x-auth-subject,X-Forwarded-For', 'X-Custom', 'evil', 'X-Kept', '1'],
      { kind: 'plain' },
      { grant },
    )
    expect(sent.map(([name]) => name)).not.toContain('x-custom')
    expect(sent).toContainEqual(['x-kept', '1'])
    expect(sent).toContainEqual(['x-auth-subject', 'alice'])
    expect(sent).toContainEqual(['x-forwarded-for', '192.0.2.1'])
  })

  test('the caller is named by the grant alone', () => {
    const sent = outbound(['X-Auth-Subject', 'root', 'x-user', 'Practitioner/1'], {}, { grant })
    expect(sent.filter(([name]) => /^x-(auth|user)/.test(name))).toEqual([
      ['x-auth-subject', 'alice'],
      ['x-auth-client', 'app'],
      ['x-user', 'Practitioner/7'],
      ['x-auth-patient', 'p1,p2'],
      ['x-auth-scope', 'user/*.rs openid'],
    ])
  })

  test.each([
    ['M\u00fcller', 'M%C3%BCller'],
    ['M%C3%BCller', 'M%25C3%25BCller'],
    ['a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
    [' a b ', '%20a b%20'],
    ['\ud800', '%EF%BF%BD'],
    ['\u{1d11e}', '%F0%9D%84%9E'],
  ])('a subject %j is sent as %j, so that two subjects stay two', (subject, expected) => {
    expect(outbound([], {}, { grant: { ...grant, subject } })).toContainEqual(['x-auth-subject', expected])
  })

  test("a scope list that would burst the upstream's header limit is not sent", () => {
    const scopes = Array.from({ length: 300 }, (_, i) => `system/Observation.rs?category=http://example.org|${i}`)
    expect(outbound([], {}, { grant: { ...grant, scopes } }).map(([name]) => name)).not.toContain('x-auth-scope')
  })

  test('Authorization is nothing, the token as it came, or a token of our own', () => {
    const token = ['Authorization', 'Bearer client']
    const sent = (authorization: OutboundRoute['authorization']) =>
      outbound(token, { authorization }).filter(([name]) => name === 'authorization')
    expect(sent('none')).toEqual([])
    expect(sent('passthrough')).toEqual([['authorization', 'Bearer client']])
    expect(sent({ bearer: 'gateway' })).toEqual([['authorization', 'Bearer gateway']])
  })

  test('a product API keeps its cookies, a FHIR endpoint has none', () => {
    expect(outbound(['Cookie', 'a=b'], { kind: 'plain' })).toContainEqual(['cookie', 'a=b'])
  })

  test('the length goes along only with the body that it belongs to', () => {
    const length = (bodyUnchanged: boolean) =>
      outbound(['Content-Length', '5'], {}, { bodyUnchanged }).filter(([name]) => name === 'content-length')
    expect(length(true)).toEqual([['content-length', '5']])
    expect(length(false)).toEqual([])
  })

  test('an answer that will be read is asked for whole and plain', () => {
    const sent = outbound(
      ['Accept-Encoding', 'gzip', 'Range', 'bytes=0-1', 'If-Range', '"a"'],
      {},
      { answerIsRead: true },
    )
    expect(sent.filter(([name]) => /encoding|range/.test(name))).toEqual([['accept-encoding', 'identity']])
    expect(outbound(['Accept-Encoding', 'gzip', 'Range', 'bytes=0-1'])).toContainEqual(['range', 'bytes=0-1'])
  })

  test('overrides stand in for what the client sent', () => {
    const overrides = new Map([
      ['if-none-exist', 'a=b'],
      ['prefer', undefined],
    ])
    const sent = outbound(['If-None-Exist', 'a=c', 'Prefer', 'x'], {}, { overrides })
    expect(sent.filter(([name]) => name === 'if-none-exist' || name === 'prefer')).toEqual([['if-none-exist', 'a=b']])
  })

  test.each([
    ['respond-async', []],
    ['Respond-Async; x=1 , return=minimal, wait=5', ['return=minimal, wait=5']],
    ['handling=lenient, respond-async', ['handling=lenient']],
    ['return=representation', ['return=representation']],
    ['x="respond-async"', ['x="respond-async"']],
  ])('Prefer: %s, to a FHIR endpoint: an answer that comes later comes past the gateway', (given, sent) => {
    const values = (kind: 'fhir' | 'plain') =>
      outbound(['Prefer', given], { kind }).flatMap(([name, value]) => (name === 'prefer' ? [value] : []))
    expect(values('fhir')).toEqual(sent)
    expect(values('plain')).toEqual([given])
  })

  test('Via is continued', () => {
    expect(outbound(['Via', '1.0 edge'])).toContainEqual(['via', '1.0 edge, 1.1 scopegate'])
  })
})

const urls = compilePublicUrls(['http://10.0.0.1:8101/fhir'], 'https://api.example.org/fhir/R4')

function inbound(
  headers: Record<string, string | string[]>,
  options: Partial<{ kind: 'fhir' | 'plain'; authorization: unknown; authenticated: boolean; rewritten: boolean }> = {},
): [string, string][] {
  const { kind = 'fhir', authorization = 'none', authenticated = true, rewritten = false } = options
  const flat = compileInbound({ kind, authorization }, urls)({ headers, requestId: 'r1', authenticated, rewritten })
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!])
}

describe('to the client', () => {
  test('what describes the resource comes through, what describes the server does not', () => {
    const sent = inbound({
      'content-type': 'application/fhir+json',
      etag: 'W/"3"',
      'last-modified': 'x',
      'content-length': '5',
      date: 'y',
      'content-encoding': 'gzip',
      server: 'Jetty',
      'x-powered-by': 'HAPI',
      connection: 'keep-alive',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      'alt-svc': 'h3=":443"',
      'x-request-id': 'theirs',
      'set-cookie': 'a=b',
      'www-authenticate': 'Basic',
      'access-control-allow-origin': '*',
      'proxy-authenticate': 'Basic',
      link: '<http://10.0.0.1:8101/fhir>; rel=next',
      trailer: 'x',
    })
    expect(sent.map(([name]) => name)).toEqual([
      'content-type',
      'etag',
      'last-modified',
      'content-length',
      'date',
      'content-encoding',
      'cache-control',
      'vary',
      'x-request-id',
    ])
    expect(sent).toContainEqual(['x-request-id', 'r1'])
  })

  test('what the upstream nominates in Connection stays behind', () => {
    expect(
      inbound({ connection: 'close, X-Secret', 'x-secret': '1', 'x-open': '2' }).map(([name]) => name),
    ).not.toContain('x-secret')
  })

  test('answers to a credential are never cached; public ones as the upstream says', () => {
    expect(inbound({ 'cache-control': 'public, max-age=60', expires: 'x', age: '3', vary: 'Accept' })).toEqual([
      ['cache-control', 'no-store'],
      ['vary', 'Accept, Authorization'],
      ['x-request-id', 'r1'],
    ])
    expect(inbound({ 'cache-control': 'public', vary: 'Accept' }, { authenticated: false })).toEqual([
      ['cache-control', 'public'],
      ['vary', 'Accept'],
      ['x-request-id', 'r1'],
    ])
    expect(inbound({ vary: '*' })).toContainEqual(['vary', '*'])
    expect(inbound({ vary: 'authorization' })).toContainEqual(['vary', 'authorization'])
  })

  test('a rewritten answer says so and keeps nothing that vouches for its bytes', () => {
    const headers = {
      'content-length': '5',
      etag: '"strong"',
      'content-md5': 'x',
      digest: 'y',
      'accept-ranges': 'bytes',
      'content-type': 'a/b',
    }
    expect(inbound(headers, { rewritten: true }).map(([name]) => name)).toEqual([
      'content-type',
      'cache-control',
      'vary',
      'x-intermediary',
      'x-request-id',
    ])
    expect(inbound({ etag: 'W/"1"' }, { rewritten: true })).toContainEqual(['etag', 'W/"1"'])
    expect(inbound({}).map(([name]) => name)).not.toContain('x-intermediary')
  })

  test.each([
    ['http://10.0.0.1:8101/fhir/Patient/1/_history/1', 'https://api.example.org/fhir/R4/Patient/1/_history/1'],
    ['/fhir/Patient/1', '/fhir/R4/Patient/1'],
    ['Patient/1/_history/2', 'Patient/1/_history/2'],
    ['http://10.0.0.1:8101/other', undefined],
    ['/other', undefined],
    ['https://elsewhere.example/x', 'https://elsewhere.example/x'],
  ])('Location %s is %s', (location, expected) => {
    const sent = inbound({ location, 'content-location': location })
    expect(sent.filter(([name]) => name.endsWith('location'))).toEqual(
      expected === undefined
        ? []
        : [
            ['location', expected],
            ['content-location', expected],
          ],
    )
  })

  test('of two Locations neither counts', () => {
    expect(inbound({ location: ['/fhir/a', 'http://10.0.0.1:8101/fhir/b'] }).map(([name]) => name)).not.toContain(
      'location',
    )
  })

  test('a product API keeps its cookies; a challenge comes through where the token went through', () => {
    expect(
      inbound({ 'set-cookie': ['a=b', 'c=d'] }, { kind: 'plain' }).filter(([name]) => name === 'set-cookie'),
    ).toHaveLength(2)
    expect(inbound({ 'www-authenticate': 'Bearer' }, { authorization: 'passthrough' })).toContainEqual([
      'www-authenticate',
      'Bearer',
    ])
  })
})
