// Slowloris: header fields that begin and never end, one byte at a time or not at all. They are answered 408 when their time is up,
// closed, and cost others nothing meanwhile.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { refusalIn } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'
import { slowClient, trickle } from '../support/slow-client.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ server: 'timeouts: { header: 400ms, idle: 5s }' }) })
})
afterAll(() => rig.close())

test.each([
  ['nothing at all', ''],
  ['half a request line', 'GET /fhir/R4/Pat'],
  ['a field that never ends', 'GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nX-Slow: '],
])('%s', async (_, bytes) => {
  const client = await slowClient(rig.port, bytes)
  await client.closed
  expect(refusalIn(client.text())).toBe('408 too-slow')
})

test('a byte now and then does not help', async () => {
  const client = await slowClient(rig.port, 'GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  trickle(client, 'x', 50)
  await client.closed
  expect(refusalIn(client.text())).toBe('408 too-slow')
})

test('nor does a request that was answered before on the same connection', async () => {
  const client = await slowClient(rig.port, 'GET /fhir/R4/metadata HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => /\r\n\r\n/.test(client.text()))
  client.socket.write('GET /fhir/R4/Patient HTTP/1.1\r\nHost: ')
  await client.closed
  expect(client.text()).toMatch(/HTTP\/1\.1 408 /)
})

test('hundreds at once: everybody else is served, and each of them gets its 408', async () => {
  const slow = await Promise.all(
    Array.from({ length: 300 }, () => slowClient(rig.port, 'GET /fhir/R4/Patient HTTP/1.1\r\nX: ')),
  )
  let served = 0
  while (slow.some(({ isClosed }) => !isClosed())) {
    const answer = await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.rs' })
    expect(answer.status).toBe(200)
    served++
  }
  expect(served).toBeGreaterThan(5)
  await until(() => slow.every(({ isClosed }) => isClosed()))
  expect((await rig.askAdmin('GET /metrics')).text).toMatch(/^scopegate_connections \d\d?$/m)
  expect(slow.map((client) => refusalIn(client.text()))).toEqual(Array(300).fill('408 too-slow'))
})
