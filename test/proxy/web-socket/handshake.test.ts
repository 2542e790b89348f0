import { describe, expect, test } from 'vitest'
import { readRequestHeaders } from '../../../src/domain/http/request-headers.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { checkSwitched, printSwitched, readHandshake } from '../../../src/proxy/web-socket/handshake.ts'
import { ACCEPT, KEY } from '../../support/web-socket-client.ts'

const FIELDS = {
  host: 'x',
  connection: 'keep-alive, Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': KEY,
}

function read(
  change: Readonly<Record<string, string | undefined>> = {},
  line: { method?: string; httpVersion?: string; ahead?: number } = {},
) {
  const raw = Object.entries({ ...FIELDS, ...change }).flatMap(([name, value]) =>
    value === undefined ? [] : [name, value],
  )
  const headers = readRequestHeaders(raw)
  if (isRefusal(headers)) throw new Error(headers.detail)
  return readHandshake({ method: 'GET', httpVersion: '1.1', headers, ahead: 0, ...line })
}

test('a handshake', () => {
  expect(read({ upgrade: 'WebSocket', 'sec-websocket-protocol': 'b, a' })).toEqual({ key: KEY, protocols: ['b', 'a'] })
})

describe('refused:', () => {
  test.each<[string, Parameters<typeof read>]>([
    ['another method', [{}, { method: 'POST' }]],
    ['HTTP/1.0', [{}, { httpVersion: '1.0' }]],
    ['another protocol', [{ upgrade: 'h2c' }]],
    ['two protocols', [{ upgrade: 'websocket, h2c' }]],
    ['a version of the protocol', [{ upgrade: 'websocket/13' }]],
    ['no Connection', [{ connection: undefined }]],
    ['a Connection that says something else', [{ connection: 'upgrades, keep-alive' }]],
    ['no version', [{ 'sec-websocket-version': undefined }]],
    ['an old version', [{ 'sec-websocket-version': '8' }]],
    ['two versions', [{ 'sec-websocket-version': '13, 8' }]],
    ['no key', [{ 'sec-websocket-key': undefined }]],
    ['a key of 15 bytes', [{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAA' }]],
    ['a key of 17 bytes', [{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAAA=' }]],
    ['a key with bits too many', [{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZR==' }]],
    ['a key in another alphabet', [{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25j_Q==' }]],
    ['two keys', [{ 'sec-websocket-key': `${KEY}, ${KEY}` }]],
    ['a subprotocol twice', [{ 'sec-websocket-protocol': 'a, a' }]],
    ['a subprotocol that is none', [{ 'sec-websocket-protocol': 'a b' }]],
    ['an empty one', [{ 'sec-websocket-protocol': 'a,,b' }]],
    ['too many', [{ 'sec-websocket-protocol': Array.from({ length: 21 }, (_, i) => `p${i}`).join(', ') }]],
    ['a client that does not wait for the answer', [{}, { ahead: 1 }]],
  ])('%s', (_, given) => {
    const refused = read(...given)
    expect(isRefusal(refused)).toBe(true)
  })

  test('another version is told which one is spoken', () => {
    expect(read({ 'sec-websocket-version': '8' })).toMatchObject({ status: 426 })
  })
})

describe('an upstream has switched only', () => {
  const offered = { key: KEY, protocols: ['a', 'b'] }
  const sound = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': ACCEPT }
  const check = (change: Readonly<Record<string, string>> = {}, status = 101) =>
    checkSwitched({ status, headers: { ...sound, ...change } }, offered)

  test('with an answer to this handshake', () => {
    expect(check()).toBeUndefined()
    expect(check({ 'sec-websocket-protocol': 'b' })).toBe('b')
  })

  test.each<[string, Record<string, string>, number?]>([
    ['another status', {}, 200],
    ['another Accept', { 'sec-websocket-accept': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['another protocol', { upgrade: 'h2c' }],
    ['no Connection', { connection: 'close' }],
    ['an extension that was not offered', { 'sec-websocket-extensions': 'permessage-deflate' }],
    ['a subprotocol that was not offered', { 'sec-websocket-protocol': 'c' }],
    ['two subprotocols', { 'sec-websocket-protocol': 'a, b' }],
  ])('not with %s', (_, change, status = 101) => {
    expect(check(change, status)).toMatchObject({ code: 'upstream-broken' })
  })
})

test('no field of another kind gets into the 101', () => {
  const text = printSwitched({ key: KEY, protocols: [] }, undefined, [
    'Content-Length',
    '5',
    'transfer-encoding',
    'chunked',
    'sec-websocket-accept',
    'x',
    'x-own',
    '1',
  ])
  expect(text.split('\r\n')).toEqual([
    'HTTP/1.1 101 Switching Protocols',
    'connection: Upgrade',
    'upgrade: websocket',
    `sec-websocket-accept: ${ACCEPT}`,
    'x-own: 1',
    '',
    '',
  ])
})
