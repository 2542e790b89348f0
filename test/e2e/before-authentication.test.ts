// Nothing of a body is read, and no `100 Continue` sent, before the credential was verified; and a credential is exactly one, in
// one header.

import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({
    map: fhirMap({
      more: '  - { name: app, upstream: store, match: { POST /app: app.write } }\nscopes: { App: { app.write: { description: Write., credentials: [oauth2] } } }\n',
    }),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const BODY = '{"resourceType":"Patient"}'
const expecting = (authorization: string | undefined, length = BODY.length): string[] => [
  ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  'Content-Type: application/fhir+json',
  `Content-Length: ${length}`,
  'Expect: 100-continue',
]

describe('Expect: 100-continue', () => {
  test.each<[name: string, line: string, token: (valid: string) => string | undefined, refusal: string]>([
    ['no credential', 'POST /fhir/R4/Patient', () => undefined, '401 token-missing'],
    ['a bad token', 'POST /fhir/R4/Patient', () => 'Bearer x.y.z', '401 token-invalid'],
    [
      'a bad signature',
      'POST /fhir/R4/Patient',
      (valid) => `Bearer ${valid.slice(0, -8)}AAAAAAAA`,
      '401 token-invalid',
    ],
    ['no scope for it', 'POST /fhir/R4/Group', (valid) => `Bearer ${valid}`, '403 scope-insufficient'],
    ['no such route', 'POST /nowhere', (valid) => `Bearer ${valid}`, '404 route-unknown'],
    ['no such interaction', 'POST /fhir/R4/Patient/p1', (valid) => `Bearer ${valid}`, '405 interaction-unknown'],
    ['no scope on a product', 'POST /app', (valid) => `Bearer ${valid}`, '403 scope-insufficient'],
  ])('%s: the refusal, and no 100', async (_, line, tokenOf, refusal) => {
    const token = await rig.token('system/Patient.c')
    const { text } = await exchangeRaw(rig.port, requestText(line, expecting(tokenOf(token))))
    expect(text).not.toContain('100 Continue')
    expect(refusalIn(text)).toBe(refusal)
    expect(rig.upstream.arrived).toEqual([])
  })

  test('a Bundle or a form without a credential is not asked for', async () => {
    for (const line of ['POST /fhir/R4', 'POST /fhir/R4/Patient/_search']) {
      const { text } = await exchangeRaw(rig.port, requestText(line, expecting(undefined)))
      expect(refusalIn(text)).toBe('401 token-missing')
      expect(text).not.toContain('100 Continue')
    }
  })

  test('too large by its own word: refused before it is sent', async () => {
    const token = await rig.token('system/Patient.c')
    const { text } = await exchangeRaw(
      rig.port,
      requestText('POST /fhir/R4/Patient', expecting(`Bearer ${token}`, 1e9)),
    )
    expect(text).not.toContain('100 Continue')
    expect(refusalIn(text)).toBe('413 body-too-large')
  })

  test('permitted: 100, the body, the answer; the upstream is not asked to expect anything', async () => {
    const token = await rig.token('system/Patient.c')
    const socket = connect(rig.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      if (text === '' && chunk.toString().startsWith('HTTP/1.1 100 Continue')) socket.write(BODY)
      text += chunk.toString()
    })
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write(requestText('POST /fhir/R4/Patient', expecting(`Bearer ${token}`)))
    await closed
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
    expect(rig.upstream.arrived[0]!.text).toBe(BODY)
    expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty('expect')
  })

  test('another expectation', async () => {
    const { text } = await exchangeRaw(rig.port, requestText('GET /fhir/R4/Patient/p1', ['Expect: miracles']))
    expect(refusalIn(text)).toBe('417 header-ambiguous')
  })
})

test('an endless body without a credential is cut off, not read', async () => {
  const socket = connect(rig.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write(requestText('POST /fhir/R4', ['Content-Type: application/fhir+json', 'Transfer-Encoding: chunked']))
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  let sent = 0
  const pump = (): void => {
    while (!socket.destroyed && socket.write(chunk)) sent += chunk.length
    sent += chunk.length
  }
  socket.on('drain', pump)
  pump()
  await closed
  expect(refusalIn(text)).toBe('401 token-missing')
  // What the sockets' own buffers take, and the little that is discarded so that the answer arrives.
  expect(sent).toBeLessThan(30_000_000)
})

describe('one credential, in one place', () => {
  test.each<[name: string, target: string, headers: (token: string) => readonly string[]]>([
    ['two headers', '/Patient/p1', (token) => ['authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`]],
    ['two tokens in one header', '/Patient/p1', (token) => ['authorization', `Bearer ${token}, Bearer ${token}`]],
    ['a token in the URL', '/Patient/p1?access_token=x', () => []],
    [
      'a token in the URL besides the header',
      '/Patient/p1?access_token=x',
      (token) => ['authorization', `Bearer ${token}`],
    ],
    ['in the URL, in other letters', '/Patient/p1?Access_Token=x', (token) => ['authorization', `Bearer ${token}`]],
    ['in the URL, encoded', '/Patient/p1?access%5Ftoken=x', (token) => ['authorization', `Bearer ${token}`]],
  ])('%s', async (_, target, headers) => {
    const token = await rig.token('system/*.rs')
    const answer = await rig.ask(`GET /fhir/R4${target}`, { headers: headers(token) })
    expect(verdictOf(answer), answer.text).toBe('400 credential-ambiguous')
    expect(answer.headers['www-authenticate']).toContain('error="invalid_request"')
    expect(answer.text).not.toContain(token)
    expect(rig.upstream.arrived).toEqual([])
  })

  test('a token in the form of a search', async () => {
    const token = await rig.token('system/*.rs')
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await rig.ask('POST /fhir/R4/Patient/_search', {
      token,
      headers,
      body: `access_token=${token}&name=x`,
    })
    expect(verdictOf(answer)).toBe('400 credential-ambiguous')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('a token as a cookie, or under another name, is none', async () => {
    const token = await rig.token('system/*.rs')
    for (const headers of [
      { Cookie: `access_token=${token}` },
      { 'X-Authorization': `Bearer ${token}` },
      { 'Proxy-Authorization': `Bearer ${token}` },
    ]) {
      expect(verdictOf(await rig.ask('GET /fhir/R4/Patient/p1', { headers }))).toBe('401 token-missing')
    }
  })
})
