// Leaving HTTP/1.1 on the way would leave the gateway out of what follows. Upgrades, CONNECT, HTTP/2 by prior knowledge and requests
// sent ahead of a handshake are not served.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
let authorization: string
beforeAll(async () => {
  rig = await startRig()
  authorization = `Authorization: Bearer ${await rig.token('system/*.cruds')}`
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

test.each<[name: string, fields: readonly string[]]>([
  [
    'HTTP/2 in clear',
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
  ],
  [
    'WebSocket',
    [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ],
  ],
  ['anything', ['Connection: Upgrade', 'Upgrade: tls/1.0']],
])('%s: the request is answered as what it is, and nothing of it goes on', async (_, fields) => {
  const { text } = await exchangeRaw(
    rig.port,
    requestText('GET /fhir/R4/Patient/p1', [authorization, ...fields, 'Connection: close']),
  )
  expect(text).not.toMatch(/^HTTP\/1\.1 101/)
  for (const { headers } of rig.upstream.arrived) {
    expect(headers).not.toHaveProperty('upgrade')
    expect(headers).not.toHaveProperty('http2-settings')
    expect(headers['connection']).toBe('keep-alive')
  }
})

test('what follows an upgrade that was not granted is no request', async () => {
  const smuggled = requestText('GET /fhir/R4/Group/g1', [authorization])
  const text = `${requestText('GET /fhir/R4/Patient/p1', [authorization, 'Upgrade: websocket', 'Sec-WebSocket-Key: x'])}${smuggled}`
  await exchangeRaw(rig.port, text)
  expect(rig.upstream.arrived.filter(({ url }) => url.includes('Group'))).toEqual([])
})

test('CONNECT', async () => {
  const { text } = await exchangeRaw(
    rig.port,
    `CONNECT 127.0.0.1:${rig.upstream.port} HTTP/1.1\r\nHost: x\r\n${authorization}\r\n\r\nGET /base/Patient/p1 HTTP/1.1\r\nHost: x\r\n\r\n`,
  )
  expect(refusalIn(text)).toBe('405 interaction-unknown')
  expect(rig.upstream.arrived).toEqual([])
})

test('HTTP/2 by prior knowledge, HTTP/0.9, HTTP/3', async () => {
  for (const preface of [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET /fhir/R4/Patient/p1\r\n\r\n',
    `GET /fhir/R4/Patient/p1 HTTP/3.0\r\nHost: x\r\n${authorization}\r\n\r\n`,
  ]) {
    const { text } = await exchangeRaw(rig.port, preface)
    expect(text).not.toMatch(/^HTTP\/1\.1 [23]/)
  }
  expect(rig.upstream.arrived).toEqual([])
})

test('a write that could have been replayed', async () => {
  const body = '{"resourceType":"Patient"}'
  const fields = [
    authorization,
    'Early-Data: 1',
    'Content-Type: application/fhir+json',
    `Content-Length: ${body.length}`,
  ]
  expect(refusalIn((await exchangeRaw(rig.port, requestText('POST /fhir/R4/Patient', fields, body))).text)).toBe(
    '425 too-early',
  )
  expect(rig.upstream.arrived).toEqual([])
})

test('a field named like a trap of the language', async () => {
  const fields = [authorization, '__proto__: x', 'constructor: x', 'toString: x', 'hasOwnProperty: x']
  const { text } = await exchangeRaw(rig.port, requestText('GET /fhir/R4/Patient/p1?__proto__=x&constructor=y', fields))
  expect(text).toMatch(/^HTTP\/1\.1 (?:200|400)/)
  const after = await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.r' })
  expect(after.status).toBe(200)
})
