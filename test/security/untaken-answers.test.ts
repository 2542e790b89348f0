// Answers that are checked are held whole, and one that its client does not take stays here after the upstream and its connection are
// long free. Many of them, asked for by one client that reads nothing, have bounded room together: the oldest go, nobody new is refused.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'
import { type SlowClient, slowClient } from '../support/slow-client.ts'

const MIB = 2 ** 20
// More than the operating system takes for a client that takes nothing.
const SIZE = 24 * MIB
const ASKED = 8

let rig: Rig
let credential = ''
let answered = 0
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ server: 'limits: { guardedBody: 32MiB, heldAnswers: 24MiB }' }) })
  credential = `Authorization: Bearer ${await rig.token('patient/Patient.rs', { patient: 'p1' })}`
  rig.upstream.script = ({ url }) => {
    answered++
    const id = url.split('/').at(-1)!
    return {
      body: { resourceType: 'Patient', id, text: { status: 'generated', div: 'x'.repeat(id === 'p1' ? SIZE : 9) } },
    }
  }
})
afterAll(() => rig.close())

/** Asks for what takes much room, and takes nothing of it. */
async function ask(): Promise<SlowClient> {
  const client = await slowClient(rig.port, `GET /fhir/R4/Patient/p1 HTTP/1.1\r\nHost: x\r\n${credential}\r\n\r\n`)
  client.socket.on('error', () => {}).pause()
  return client
}

test('the oldest of many that nobody takes are broken off', async () => {
  const clients: SlowClient[] = []
  for (let i = 1; i <= ASKED; i++) {
    clients.push(await ask())
    await until(() => answered === i)
  }
  const honest = await rig.ask('GET /fhir/R4/Patient/p2', { scope: 'patient/Patient.rs', claims: { patient: 'p2' } })
  expect(honest.status).toBe(200)
  for (const { socket } of clients) socket.resume()
  await until(() => clients.every((client) => client.isClosed() || client.bytes() > SIZE))
  const whole = clients.map((client) => client.bytes() > SIZE)
  expect(whole.filter(Boolean).length).toBeGreaterThan(0)
  expect(whole.filter(Boolean).length).toBeLessThanOrEqual(ASKED / 2)
  for (const { socket } of clients) socket.destroy()
})
