// An upstream that is away, slow or broken, and clients that leave: each has its code, nothing hangs, and an answer that is not
// whole never ends as if it were.

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startIssuer } from '../credentials/support/issuer-server.ts'
import { verdictOf } from '../support/http-client.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const READ = 'GET /fhir/R4/Patient/p1'
const EVERYTHING = { scope: 'system/*.cruds' }

let rig: Rig
beforeAll(async () => {
  const map = fhirMap({ more: '  - { name: away, upstream: away, match: { GET /away: public } }\n' })
  rig = await startRig({
    map: (at) =>
      map(at)
        .replace('timeout: 2s', 'timeout: 100ms, idleTimeout: 100ms')
        .replace('upstreams:', 'upstreams:\n  away: { url: "http://127.0.0.1:1" }'),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void

describe('faults before the answer', () => {
  const silent: Misbehaviour = () => {}
  test.each<[name: string, misbehave: Misbehaviour, verdict: string]>([
    ['says nothing', silent, '504 upstream-timeout'],
    ['hangs up', (request) => request.socket.destroy(), '502 upstream-broken'],
    ['speaks no HTTP', (request) => request.socket.end('SSH-2.0-x\r\n\r\n'), '502 upstream-broken'],
    [
      'two lengths',
      (request) => request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
      '502 upstream-broken',
    ],
    [
      'endless fields',
      (request) => request.socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(80_000)}\r\n\r\n`),
      '502 upstream-broken',
    ],
  ])('%s', async (_, misbehave, verdict) => {
    rig.upstream.raw = misbehave
    const answer = await rig.ask(READ, EVERYTHING)
    expect(verdictOf(answer)).toBe(verdict)
    expect(answer.json.resourceType).toBe('OperationOutcome')
    expect(answer.text).not.toContain(String(rig.upstream.port))
    rig.upstream.reset()
    expect((await rig.ask(READ, EVERYTHING)).status).toBe(200)
  })

  test('is away', async () => {
    const answer = await rig.ask('GET /away')
    expect(verdictOf(answer)).toBe('502 upstream-unreachable')
    expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/)
  })

  test('with a body on its way', async () => {
    rig.upstream.raw = (request) => request.socket.destroy()
    const answer = await rig.ask('POST /fhir/R4/Patient', { ...EVERYTHING, body: { resourceType: 'Patient' } })
    expect(verdictOf(answer)).toBe('502 upstream-broken')
  })

  test('a write goes out once, whatever becomes of it', async () => {
    let times = 0
    rig.upstream.raw = (request) => {
      times++
      request.socket.destroy()
    }
    await rig.ask('POST /fhir/R4/Patient', { ...EVERYTHING, body: { resourceType: 'Patient' } })
    await rig.ask('DELETE /fhir/R4/Patient/p1', EVERYTHING)
    expect(times).toBe(2)
  })
})

describe('faults within the answer break the connection', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n'
  test.each<[name: string, line: string, misbehave: Misbehaviour]>([
    ['a length not kept', READ, (request) => request.socket.end(`${head}Content-Length: 1000\r\n\r\n{"resourceType"`)],
    [
      'chunks that stop',
      READ,
      (request) => request.socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"res\r\n`),
    ],
    ['silence within', READ, (request) => request.socket.write(`${head}Content-Length: 1000\r\n\r\n{"resourceType"`)],
    [
      'a Bundle cut off',
      'GET /fhir/R4/Patient',
      (request) => request.socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"res\r\n`),
    ],
  ])('%s', async (_, line, misbehave) => {
    rig.upstream.raw = misbehave
    const token = await rig.token(EVERYTHING.scope)
    const { text } = await exchangeRaw(rig.port, requestText(line, [`Authorization: Bearer ${token}`]))
    const refused = /^HTTP\/1\.1 50[24]/.test(text)
    // Either the fault came before the first byte went out, or the client sees an answer that does not end.
    if (!refused) expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
    if (!refused) expect(text).toMatch(/^HTTP\/1\.1 200/)
  })

  test('a Bundle whose JSON breaks in the middle', async () => {
    const long = ' '.repeat(200_000)
    rig.upstream.raw = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/fhir+json' })
      response.write(`{"resourceType":"Bundle","entry":[${long}`, () => response.end('{]'))
    }
    const token = await rig.token(EVERYTHING.scope)
    const { text } = await exchangeRaw(
      rig.port,
      requestText('GET /fhir/R4/Patient', [`Authorization: Bearer ${token}`]),
    )
    if (/^HTTP\/1\.1 200/.test(text)) expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
    else expect(text).toMatch(/^HTTP\/1\.1 502/)
  })
})

describe('a client that leaves', () => {
  async function leave(
    line: string,
    fields: readonly string[],
    body: string,
    when: () => Promise<unknown>,
  ): Promise<void> {
    const socket = connect(rig.port, '127.0.0.1')
    const token = await rig.token(EVERYTHING.scope)
    socket.write(requestText(line, [`Authorization: Bearer ${token}`, ...fields], body))
    await when()
    socket.destroy()
  }

  test('before the answer: the upstream hears of it', async () => {
    const arrived = Promise.withResolvers<IncomingMessage>()
    rig.upstream.raw = (request) => arrived.resolve(request)
    await leave(READ, [], '', () => arrived.promise)
    await once((await arrived.promise).socket, 'close')
  })

  test('within the answer: the upstream is not read to its end', async () => {
    const gone = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    rig.upstream.raw = (_, response) => {
      response.on('close', gone.resolve).writeHead(200, { 'content-type': 'application/fhir+json' })
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
      }
      response.on('drain', send)
      send()
      begun.resolve()
    }
    await leave(READ, [], '', () => begun.promise)
    await gone.promise
  })

  test('within its body: the upstream gets no whole request', async () => {
    const gone = Promise.withResolvers<boolean>()
    const begun = Promise.withResolvers<void>()
    rig.upstream.raw = (request) => {
      request
        .on('close', () => gone.resolve(request.complete))
        .on('error', () => {})
        .once('data', () => begun.resolve())
    }
    const part = `{"resourceType":"Binary","data":"${'a'.repeat(100_000)}`
    await leave(
      'POST /fhir/R4/Binary',
      ['Content-Type: application/fhir+json', 'Content-Length: 300000'],
      part,
      () => begun.promise,
    )
    expect(await gone.promise).toBe(false)
  })

  test('while its token is verified: nothing goes upstream, and no place there stays taken', async () => {
    const issuer = await startIssuer()
    const asked = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const answer = issuer.answer.bind(issuer)
    issuer.answer = (path, response) => {
      asked.resolve()
      void released.promise.then(() => answer(path, response))
    }
    const map = fhirMap()
    const slow = await startRig({ issuer, map: (at) => map(at).replace('timeout: 2s', 'timeout: 2s, connections: 1') })
    try {
      const fields = [`Authorization: Bearer ${await slow.token(EVERYTHING.scope)}`]
      const form = ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 9']
      const requests = [
        requestText(READ, fields),
        requestText('POST /fhir/R4/Patient/_search', [...fields, ...form], 'na'),
      ]
      // More than the places of one connection.
      const sockets = Array.from({ length: 20 }, () => connect(slow.port, '127.0.0.1').on('error', () => {}))
      await Promise.all(sockets.map((socket, i) => new Promise((sent) => socket.write(requests[i % 2]!, sent))))
      await asked.promise
      for (const socket of sockets) socket.destroy()
      // Answers to what comes later show that the gateway has seen them go.
      for (let later = 0; later < 3; later++) await slow.ask('GET /nowhere')
      released.resolve()
      expect((await slow.ask(READ, EVERYTHING)).status).toBe(200)
      expect(slow.upstream.arrived).toHaveLength(1)
      // Each is recorded: those with half a body as refused, which nobody hears.
      await expect.poll(() => slow.log().split('"msg":"request"').length - 1).toBe(24)
    } finally {
      released.resolve()
      await slow.close()
    }
  })

  test('the log says so, without a status that nobody got', async () => {
    await expect.poll(() => rig.log()).toContain('"status":0')
    const line = rig
      .log()
      .split('\n')
      .find((text) => text.includes('"status":0'))!
    expect(JSON.parse(line)).toMatchObject({ route: 'r4', interaction: 'read', outcome: 'forward', status: 0 })
  })
})
