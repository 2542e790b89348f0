import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoUpstreams, ISSUER_PORT, startDemoUpstreams } from '../../src/demo/demo-upstreams.ts'
import { closeServer, listenOn } from '../../src/demo/listen.ts'
import { startStandIn } from '../../src/demo/stand-in.ts'
import { call, keys } from './fhir-client.ts'

/** Far from the demo's own ports, so that a running demo does not disturb the test. */
const SHIFT = 21_000

let demo: DemoUpstreams
beforeAll(async () => {
  demo = await startDemoUpstreams({ ports: SHIFT, audience: ['urn:a'] })
})
afterAll(() => demo.close())

test('one store answers under the R4, R5 and Prime bases', async () => {
  const { NEXUS_URL, NEXUS_R5_URL, PRIME_FHIR_URL } = demo.env
  const first = await call(`${NEXUS_URL}/Patient/3`)
  expect(first.body.name[0].family).toBe('Bechtelar572')
  expect((await call(`${NEXUS_R5_URL}/Patient`)).body.total).toBe(9)
  await call(`${PRIME_FHIR_URL}/Device/new`, { method: 'PUT', body: { resourceType: 'Device', id: 'new' } })
  expect((await call(`${NEXUS_URL}/Device/new`)).status).toBe(200)
  expect(keys(await call(`${NEXUS_URL}/Observation?patient=3&category=laboratory&_security=R`))).toEqual([
    'Observation/9001',
  ])
})

test('every address in the environment is on loopback and answers', async () => {
  for (const [name, url] of Object.entries(demo.env)) {
    expect(new URL(url).hostname).toBe('127.0.0.1')
    const { status } = await call(
      name === 'ISSUER_URL'
        ? `${url}/jwks`
        : name.endsWith('FHIR_URL') || name.startsWith('NEXUS')
          ? `${url}/metadata`
          : url,
    )
    expect([name, status]).toEqual([name, 200])
  }
})

test('a stand-in says what it got', async () => {
  const answer = await call(`${demo.env['TEFCA_URL']}/tefca/xcpd/search?q=%7C1`, {
    method: 'POST',
    body: { some: 'body' },
    headers: { 'x-auth-subject': 'me' },
  })
  expect(answer.body).toMatchObject({
    product: 'TEFCA Gateway',
    method: 'POST',
    path: '/tefca/xcpd/search?q=%7C1',
    headers: { 'x-auth-subject': 'me' },
    bodyBytes: 15,
  })
})

test('a port that is taken is named, and nothing stays open', async () => {
  const blocker = createServer()
  const shift = SHIFT + 500
  await listenOn(blocker, 8105 + shift)
  try {
    await expect(startDemoUpstreams({ ports: shift, audience: ['urn:a'] })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port: 8105 + shift,
    })
    const free = await startStandIn({ product: 'again', port: ISSUER_PORT + shift })
    await free.close()
  } finally {
    await closeServer(blocker)
  }
})
