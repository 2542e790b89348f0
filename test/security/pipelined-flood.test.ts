// Thousands of small requests in one piece cost their sender nothing. They take their turns among the requests of everybody else, instead
// of holding the gateway until the last of them is answered.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { type Rig, startRig } from '../support/rig.ts'
import { slowClient } from '../support/slow-client.ts'

const AHEAD = 1_500

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())

const refused = (): number => rig.log().match(/"status":401/g)?.length ?? 0

test('another client is answered long before the last of them', async () => {
  const flood = await slowClient(rig.port)
  await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.rs' })
  flood.socket.write('GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(AHEAD))
  await until(() => refused() > 0)
  const other = await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.rs' })
  expect(other.status).toBe(200)
  expect(refused()).toBeLessThan(AHEAD / 2)
  await until(() => refused() === AHEAD)
  flood.socket.destroy()
})
