// Active health checks against real servers: what counts as well, how often it must be so, and that nothing is left behind.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type TargetNews, Upstream } from '../../src/proxy/upstream.ts'
import { startRawUpstream, until } from './support/pass-through.ts'
import { upstreamOptions } from './support/upstream-options.ts'

const HEALTH = { path: '/healthz', interval: 10, timeout: 200, unhealthyAfter: 3, healthyAfter: 2 }

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

interface Checked {
  readonly upstream: Upstream
  readonly news: TargetNews[]
  readonly states: () => string[]
}

function check(url: readonly string[], health = {}): Checked {
  const news: TargetNews[] = []
  const upstream = new Upstream(upstreamOptions({ url, health: { ...HEALTH, ...health } }), {
    onTarget: (each) => news.push(each),
  })
  open.push(upstream)
  upstream.start()
  return { upstream, news, states: () => upstream.targets.map(({ outlier }) => outlier.state) }
}

interface Patient {
  readonly url: string
  readonly server: Server
  status: number
  checks: number
  headers: unknown
}

async function startPatient(): Promise<Patient> {
  const patient: { status: number; checks: number; headers: unknown } = { status: 200, checks: 0, headers: undefined }
  const server = createServer((request, response) => {
    patient.checks++
    patient.headers = { url: request.url, ...request.headers }
    response.writeHead(patient.status).end('x')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  open.push({ close: () => server.close() })
  return Object.assign(patient, { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

test('a check is a GET of the path from the root, without credentials, on a connection of its own', async () => {
  const patient = await startPatient()
  check([`${patient.url}/fhir/base`])
  await until(() => patient.checks > 1)
  expect(patient.headers).toMatchObject({ url: '/healthz', connection: 'close', 'user-agent': 'scopegate' })
  expect(patient.headers).not.toHaveProperty('authorization')
})

test('one that is unwell is left out, and comes back; both are told', async () => {
  const [well, sick] = [await startPatient(), await startPatient()]
  const { states, news } = check([well.url, sick.url])
  sick.status = 503
  await until(() => states()[1] === 'unhealthy')
  sick.status = 204
  await until(() => states()[1] === 'available')
  expect(news).toEqual([
    { upstream: 'up', target: 2, of: 2, was: 'available', state: 'unhealthy' },
    { upstream: 'up', target: 2, of: 2, was: 'unhealthy', state: 'available' },
  ])
})

test('one that flaps faster than the thresholds is left as it was', async () => {
  const patient = await startPatient()
  const { news } = check([patient.url])
  patient.server.removeAllListeners('request')
  patient.server.on('request', (_request, response) => {
    // Two that fail, one that passes; three would be enough.
    response.writeHead(++patient.checks % 3 === 0 ? 200 : 500).end()
  })
  await until(() => patient.checks > 20)
  expect(news).toEqual([])
})

describe('unwell is', () => {
  test.each([
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'],
    ['an error', 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'],
    ['what is not HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['an answer without end', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx'],
    ['silence', ''],
  ])('%s', async (_, answer) => {
    const { url } = await startRawUpstream((_received, socket) => {
      socket.write(answer)
    })
    const { states } = check([url], { unhealthyAfter: 1, timeout: 50 })
    await until(() => states()[0] === 'unhealthy')
  })

  test('who is away', async () => {
    const { states } = check(['http://127.0.0.1:1'], { unhealthyAfter: 1 })
    await until(() => states()[0] === 'unhealthy')
  })
})

test('nothing is asked before the start, nor after the end, even when a check was on its way', async () => {
  const patient = await startPatient()
  const upstream = new Upstream(upstreamOptions({ url: [patient.url], health: HEALTH }))
  await new Promise((later) => setTimeout(later, 30))
  expect(patient.checks).toBe(0)
  upstream.start()
  upstream.start()
  await until(() => patient.checks > 0)
  const held = Promise.withResolvers<void>()
  patient.server.removeAllListeners('request')
  patient.server.on('request', () => held.resolve())
  await held.promise
  await upstream.close()
  const { checks } = patient
  await new Promise((later) => setTimeout(later, 40))
  expect(patient.checks).toBe(checks)
  await expect.poll(() => new Promise((count) => patient.server.getConnections((_, n) => count(n)))).toBe(0)
})
