// Server-sent events: each comes when it is sent, pauses do not end the stream, and it ends with the right to it or with its client.

import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PUBLIC_URL, type Rig, startRig } from '../support/rig.ts'

const MAP = ({ issuer, jwks, upstream }: { issuer: string; jwks: string; upstream: string }) => `
version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: ${PUBLIC_URL} }
issuers:
  - { name: ehr, issuer: "${issuer}", audience: ["${PUBLIC_URL}"], jwks: "${jwks}" }
upstreams:
  store: { url: "${upstream}", timeout: 2s, idleTimeout: 300ms }
scopes:
  Live:
    live.read: { description: Watch., credentials: [oauth2] }
routes:
  - { name: live, upstream: store, match: { GET /live/*: live.read } }
`

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: MAP })
})
afterAll(() => rig.close())
const open: Socket[] = []
beforeEach(() => {
  rig.upstream.reset()
  for (const socket of open.splice(0)) socket.destroy()
})

interface Listening {
  readonly socket: Socket
  readonly bytes: () => Buffer
  until(enough: (text: string) => boolean): Promise<void>
  readonly over: () => boolean
}

async function listen(fields: readonly string[] = ['Accept: text/event-stream'], claims = {}): Promise<Listening> {
  const authorization = `Authorization: Bearer ${await rig.token('live.read', claims)}`
  const socket = connect(rig.port, '127.0.0.1')
  open.push(socket)
  let bytes = Buffer.alloc(0)
  let over = false
  let waiting: (() => void)[] = []
  const tell = () => {
    const told = waiting
    waiting = []
    for (const each of told) each()
  }
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    tell()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    over = true
    tell()
  })
  socket.write(['GET /live/events HTTP/1.1', 'Host: x', authorization, ...fields, '', ''].join('\r\n'))
  return {
    socket,
    bytes: () => bytes,
    over: () => over,
    async until(enough) {
      while (!over && !enough(bytes.toString('latin1'))) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

/** The upstream's side of one stream. */
function streaming(headers: Readonly<Record<string, string>> = {}): Promise<ServerResponse> {
  return new Promise((resolve) => {
    rig.upstream.raw = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
      response.flushHeaders()
      resolve(response)
    }
  })
}
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

test('each event comes by itself, before the next one is sent', async () => {
  const upstream = streaming()
  const client = await listen()
  const response = await upstream
  await client.until((text) => text.includes('\r\n\r\n'))
  for (const event of ['data: one\n\n', 'data: two\n\n', ': a comment\n\n']) {
    response.write(event)
    await client.until((text) => text.includes(event))
    expect(client.bytes().toString('latin1')).toContain(event)
  }
  const head = client.bytes().toString('latin1')
  expect(head).toMatch(/^HTTP\/1\.1 200/)
  expect(head).toMatch(/content-type: text\/event-stream/)
  expect(head).toMatch(/cache-control: no-store/)
  response.end()
  await client.until((text) => text.endsWith('0\r\n\r\n'))
})

test('a pause that is longer than the idle timeout of the upstream ends no stream of events', async () => {
  const upstream = streaming()
  const client = await listen()
  const response = await upstream
  response.write('data: before\n\n')
  await pause(1_500)
  response.write('data: after\n\n')
  await client.until((text) => text.includes('after'))
  expect(client.bytes().toString('latin1')).toContain('data: after')
})

test('any other answer may not pause for so long', async () => {
  const upstream = streaming({ 'content-type': 'application/json' })
  const client = await listen([])
  ;(await upstream).write('{"a":')
  await client.until(() => false)
  expect(client.over()).toBe(true)
})

test('compressed events pass as they are', async () => {
  const upstream = streaming({ 'content-encoding': 'gzip' })
  const client = await listen(['Accept: text/event-stream', 'Accept-Encoding: gzip'])
  const response = await upstream
  const packed = gzipSync('data: small\n\n'.repeat(50))
  response.end(packed)
  const packedText = packed.toString('latin1')
  await client.until((text) => text.includes(packedText))
  expect(client.bytes().toString('latin1')).toMatch(/^content-encoding: gzip\r$/m)
  const at = client.bytes().indexOf(packed)
  expect(gunzipSync(client.bytes().subarray(at, at + packed.length)).toString()).toContain('data: small')
})

test('a client that leaves frees the upstream', async () => {
  const upstream = streaming()
  const client = await listen()
  const response = await upstream
  const left = new Promise<void>((resolve) => response.once('close', () => resolve()))
  response.write('data: one\n\n')
  await client.until((text) => text.includes('one'))
  client.socket.destroy()
  await left
})

test('the token expires: the stream is cut, not ended, and the upstream is free', async () => {
  const upstream = streaming()
  const client = await listen(undefined, { exp: Math.floor(rig.clock.now / 1000) + 60 })
  const response = await upstream
  const left = new Promise<void>((resolve) => response.once('close', () => resolve()))
  response.write('data: one\n\n')
  await client.until((text) => text.includes('one'))
  const now = rig.clock.now
  rig.clock.now += 120_000
  await client.until(() => false)
  rig.clock.now = now
  await left
  expect(client.bytes().toString('latin1')).not.toMatch(/0\r\n\r\n$/)
})
