import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { askReadiness } from '../../../src/cli/healthcheck.ts'
import { createMetrics } from '../../../src/observability/metrics.ts'
import { type AdminOptions, type AdminPort, startAdmin } from '../../../src/server/admin/admin.ts'
import { writePlace } from '../../../src/server/admin/admin-place.ts'
import type { ExplainRequest } from '../../../src/server/explain/explain.ts'

const open: AdminPort[] = []

afterEach(async () => {
  for (const port of open.splice(0)) await port.close(0)
})

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  readonly json: Record<string, unknown>
}

type Ask = (
  method: string,
  path: string,
  request?: { headers?: http.OutgoingHttpHeaders; body?: string },
) => Promise<Answer>

async function admin(change: Partial<AdminOptions> & { host?: string; token?: string } = {}): Promise<Ask> {
  const { host = '127.0.0.1', token, ...options } = change
  const metrics = createMetrics({ process: false })
  metrics.applied(7, { routes: [], upstreams: [], issuers: [] })
  const port = await startAdmin({
    settings: { listen: { host, port: 0 }, ...(token === undefined ? {} : { token }) },
    metrics,
    isReady: () => true,
    generation: () => 7,
    explain: (request) => Promise.resolve({ asked: request }),
    ...options,
  })
  open.push(port)
  return (method, path, { headers = {}, body } = {}) => ask(port.address, method, path, headers, body)
}

async function ask(
  { port }: AddressInfo,
  method: string,
  path: string,
  headers: http.OutgoingHttpHeaders,
  body?: string,
): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let text = ''
  for await (const chunk of response) text += chunk
  const json = text.startsWith('{') ? JSON.parse(text) : {}
  return { status: response.statusCode!, headers: response.headers, text, json }
}

const JSON_POST = { 'content-type': 'application/json' }
const EXPLAIN = { headers: JSON_POST, body: '{"method":"get","target":"/fhir/R4/Patient/1"}' }

describe('health and metrics', () => {
  test('live and ready', async () => {
    const asked = await admin()
    expect(await asked('GET', '/health/live')).toMatchObject({ status: 200, json: { status: 'alive' } })
    expect(await asked('GET', '/health/ready?x=1')).toMatchObject({
      status: 200,
      json: { status: 'ready', generation: 7 },
    })
    expect(await asked('HEAD', '/health/ready')).toMatchObject({ status: 200, text: '' })
  })

  test('not ready while draining', async () => {
    const asked = await admin({ isReady: () => false })
    expect(await asked('GET', '/health/ready')).toMatchObject({
      status: 503,
      json: { status: 'draining', generation: 7 },
    })
    expect(await asked('GET', '/health/live')).toMatchObject({ status: 200 })
  })

  test('metrics in the format of Prometheus', async () => {
    const answer = await (await admin())('GET', '/metrics')
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.text).toContain('scopegate_config_generation 7')
  })
})

describe('explain', () => {
  test('hands over what it was asked', async () => {
    const seen: ExplainRequest[] = []
    const asked = await admin({ explain: (request) => Promise.resolve(seen.push(request) ? { permitted: true } : {}) })
    const body = JSON.stringify({
      method: 'post',
      target: '/fhir/R4/Patient',
      scope: 'user/Patient.c',
      credential: 'bearer',
      headers: { 'If-None-Exist': 'identifier=1' },
      body: { resourceType: 'Patient' },
    })
    expect(await asked('POST', '/explain', { headers: JSON_POST, body })).toMatchObject({
      status: 200,
      json: { permitted: true },
    })
    expect(seen).toEqual([
      {
        method: 'POST',
        target: '/fhir/R4/Patient',
        scope: 'user/Patient.c',
        credential: 'bearer',
        headers: ['If-None-Exist', 'identifier=1'],
        body: '{"resourceType":"Patient"}',
      },
    ])
  })

  test.each([
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['[]', 'JSON object'],
    ['null', 'JSON object'],
    ['{}', '"method" and "target"'],
    ['{"method":"GET"}', '"method" and "target"'],
    ['{"method":"GET","target":"/","scopes":"x"}', 'no key "scopes"'],
    ['{"method":"GET","target":"/","scope":["x"]}', '"scope" must be a text'],
    ['{"method":"GET","target":"/","credential":"cookie"}', '"credential" must be one of'],
    ['{"method":"GET","target":"/","headers":{"a":1}}', '"headers" must be a map'],
    ['{"method":"GET","target":"/","headers":["a","b"]}', '"headers" must be a map'],
  ])('%s is refused', async (body, reason) => {
    const answer = await (await admin())('POST', '/explain', { headers: JSON_POST, body })
    expect(answer).toMatchObject({ status: 400, json: { code: 'body-invalid' } })
    expect(answer.json['detail']).toContain(reason)
  })

  test('too large a body is refused, with and without its length', async () => {
    const asked = await admin()
    const body = JSON.stringify({ method: 'GET', target: 'x'.repeat(2_000_000) })
    expect(
      await asked('POST', '/explain', { headers: { ...JSON_POST, 'content-length': body.length }, body }),
    ).toMatchObject({ status: 413 })
    expect(
      await asked('POST', '/explain', { headers: { ...JSON_POST, 'transfer-encoding': 'chunked' }, body }),
    ).toMatchObject({ status: 413 })
  })

  test('a defect tells nothing to the client and everything to the log', async () => {
    const errors: unknown[] = []
    const defect = new Error('patient p1')
    const asked = await admin({ explain: () => Promise.reject(defect), onError: (error) => void errors.push(error) })
    const answer = await asked('POST', '/explain', EXPLAIN)
    expect(answer).toMatchObject({ status: 500, json: { code: 'gateway-broken' } })
    expect(answer.text).not.toContain('p1')
    expect(errors).toEqual([defect])
  })
})

describe('reload', () => {
  const post = { headers: JSON_POST }

  test('says that it cannot, where it cannot', async () => {
    expect(await (await admin())('POST', '/reload', post)).toMatchObject({
      status: 501,
      json: { code: 'interaction-unknown' },
    })
  })

  test('tells what came of it', async () => {
    const applied = await admin({ reload: () => Promise.resolve({ generation: 8, problems: [] }) })
    expect(await applied('POST', '/reload', post)).toMatchObject({
      status: 200,
      json: { status: 'applied', generation: 8 },
    })
    const problems = ['routes.yaml:3:1: unknown key']
    const kept = await admin({ reload: () => Promise.resolve({ generation: 7, problems }) })
    expect(await kept('POST', '/reload', post)).toMatchObject({
      status: 422,
      json: { status: 'kept', generation: 7, problems },
    })
  })
})

test('other paths and methods are told what there is', async () => {
  const asked = await admin()
  const unknown = await asked('GET', '/')
  expect(unknown).toMatchObject({ status: 404, json: { code: 'route-unknown' } })
  expect(unknown.headers['content-type']).toBe('application/problem+json')
  expect(unknown.json['detail']).toContain('POST /explain')
  const method = await asked('GET', '/explain')
  expect(method).toMatchObject({ status: 405, headers: { allow: 'POST' } })
  expect(await asked('POST', '/metrics')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
})

describe('web pages', () => {
  test.each([
    ['admin.evil.example:9090', 421],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example:80', 421],
    ['127.0.0.1:9090', 200],
    ['[::1]:9090', 200],
    ['localhost:1', 200],
    ['LOCALHOST', 200],
    ['10.1.2.3:9090', 200],
  ])('Host %s gets %i', async (host, status) => {
    expect(await (await admin())('GET', '/health/live', { headers: { host } })).toMatchObject({ status })
  })

  test.each<[http.OutgoingHttpHeaders, number]>([
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://localhost:8080' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'http://localhost:9090', 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{ 'content-type': 'application/jsonp' }, 415],
    [{ 'content-type': 'application/json; charset=utf-8' }, 200],
  ])('POST with %j gets %i', async (headers, status) => {
    const request = { headers: { ...JSON_POST, host: 'localhost:9090', ...headers }, body: EXPLAIN.body }
    const answer = await (await admin())('POST', '/explain', request)
    expect(answer.status).toBe(status)
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('the token', () => {
  test.each<[string | undefined, number, string | undefined]>([
    [undefined, 401, 'token-missing'],
    ['Bearer wrong', 401, 'token-invalid'],
    ['Bearer ', 401, 'token-invalid'],
    ['Basic secret', 401, 'token-invalid'],
    ['Bearer secret2', 401, 'token-invalid'],
    ['Bearer secret', 200, undefined],
    ['bearer  secret', 200, undefined],
  ])('Authorization %j gets %i', async (authorization, status, code) => {
    const asked = await admin({ token: 'secret' })
    const answer = await asked('POST', '/explain', {
      ...EXPLAIN,
      headers: { ...JSON_POST, ...(authorization === undefined ? {} : { authorization }) },
    })
    expect(answer.status).toBe(status)
    expect(answer.json['code']).toBe(code)
    if (code === 'token-missing') expect(answer.headers['www-authenticate']).toBe('Bearer realm="scopegate admin"')
    expect(await asked('GET', '/health/ready')).toMatchObject({ status: 200 })
    expect(await asked('GET', '/metrics')).toMatchObject({ status: 200 })
  })

  test('an empty one is none', async () => {
    expect(await (await admin({ token: '' }))('POST', '/explain', EXPLAIN)).toMatchObject({ status: 200 })
  })

  test('off loopback without one: health and metrics only', async () => {
    const asked = await admin({ host: '0.0.0.0' })
    const headers = { host: 'scopegate-admin.monitoring:9090' }
    expect(await asked('GET', '/health/live', { headers })).toMatchObject({ status: 200 })
    expect(await asked('GET', '/metrics', { headers })).toMatchObject({ status: 200 })
    for (const path of ['/explain', '/reload']) {
      const answer = await asked('POST', path, EXPLAIN)
      expect(answer).toMatchObject({ status: 403, json: { code: 'credential-kind' } })
      expect(answer.json['detail']).toContain('server.admin.token')
    }
  })

  test('off loopback with one: open to whoever has it', async () => {
    const asked = await admin({ host: '0.0.0.0', token: 'secret' })
    const headers = { ...JSON_POST, host: 'admin.internal', authorization: 'Bearer secret' }
    expect(await asked('POST', '/explain', { ...EXPLAIN, headers })).toMatchObject({ status: 200 })
  })
})

describe('healthcheck', () => {
  test('ready, draining, nobody there, no answer', async () => {
    await admin()
    await admin({ isReady: () => false, host: '0.0.0.0' })
    const [ready, draining] = open.map(({ address }) => address)
    expect(await askReadiness({ host: '127.0.0.1', port: ready!.port })).toBeUndefined()
    expect(await askReadiness({ host: '0.0.0.0', port: draining!.port })).toContain('answered 503')
    const silent = http.createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    expect(await askReadiness({ host: '127.0.0.1', port }, { timeout: 50 })).toContain('no answer within 50 ms')
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
    expect(await askReadiness({ host: '127.0.0.1', port })).toContain('ECONNREFUSED')
  })
})

describe('places that other parts add', () => {
  const places = [writePlace('/echo', (body) => ({ status: 200, json: { body } }))]

  test('answer what is posted to them, and are named where nothing is', async () => {
    const asked = await admin({ places })
    const answer = await asked('POST', '/echo', { headers: JSON_POST, body: '{"a":1}' })
    expect(answer).toMatchObject({ status: 200, json: { body: '{"a":1}' } })
    expect((await asked('GET', '/nothing')).text).toContain('POST /echo')
  })

  test('answer nobody without the token', async () => {
    const asked = await admin({ places, token: 'secret' })
    expect((await asked('POST', '/echo', { headers: JSON_POST, body: '{}' })).status).toBe(401)
  })

  test('hear no body that is too large', async () => {
    const asked = await admin({ places })
    const body = ' '.repeat(1024 * 1024 + 1)
    expect((await asked('POST', '/echo', { headers: JSON_POST, body })).status).toBe(413)
  })
})
