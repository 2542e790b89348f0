// One client with many uploads that hardly move, or answers that it does not read, could hold every connection to a server, for hours, and
// everybody else got 503. No client holds more than its share, of the connections and of the places in line; what is over waits.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'
import { slowClient } from '../support/slow-client.ts'

const CONNECTIONS = 4
const SHARE = 3

let rig: Rig
beforeAll(async () => {
  const map = fhirMap()
  const queue = 'queue: { perConnection: 3, timeout: 500ms }'
  rig = await startRig({
    map: (at) => map(at).replace(/store: \{ /, `store: { connections: ${CONNECTIONS}, ${queue}, `),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const READ = 'GET /fhir/R4/Patient/p1'
const asOf = (sub: string) => ({ scope: 'system/*.cruds', claims: { sub, client_id: 'the one app' } })

async function hold(count: number, sub: string) {
  const token = await rig.token('system/*.cruds', asOf(sub).claims)
  const head = [
    'POST /fhir/R4/Observation HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/fhir+json',
    'Content-Length: 10000',
  ]
  const text = `${head.join('\r\n')}\r\n\r\n{"resourceType":"Observation",`
  return Promise.all(Array.from({ length: count }, () => slowClient(rig.port, text)))
}

test('uploads that stand still leave connections to others, and cost their own client its turn', async () => {
  const clients = await hold(CONNECTIONS + 2, 'greedy')
  try {
    await expect.poll(async () => verdictOf(await rig.ask(READ, asOf('greedy')))).toBe('503 overloaded')
    for (let i = 0; i < 5; i++) expect((await rig.ask(READ, asOf('other'))).status).toBe(200)
  } finally {
    for (const { socket } of clients) socket.destroy()
  }
  await expect.poll(async () => (await rig.ask(READ, asOf('greedy'))).status).toBe(200)
})

test('neither are the places in line all taken by one client', async () => {
  const places = CONNECTIONS * (1 + 3)
  const clients = await hold(places, 'greedy')
  try {
    await expect.poll(async () => verdictOf(await rig.ask(READ, asOf('greedy')))).toBe('429 rate-limited')
    expect((await rig.ask(READ, asOf('other'))).status).toBe(200)
  } finally {
    for (const { socket } of clients) socket.destroy()
  }
})

test('what is over the share of a client waits, and is served in its turn', async () => {
  const answers = await Promise.all(Array.from({ length: SHARE * 3 }, () => rig.ask(READ, asOf('busy'))))
  expect(answers.map(({ status }) => status)).toEqual(Array(SHARE * 3).fill(200))
})
