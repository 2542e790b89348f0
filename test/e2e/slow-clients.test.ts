// Five hundred slow clients at a gateway in a process of its own: everybody else is served meanwhile, each of them gets its 408, and
// afterwards the connections and the memory are there again. What it costs others in time: `node bench/slow-clients.ts`.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { HttpClient } from '../support/http-client.ts'
import { refusalIn } from '../support/raw-socket.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'
import { slowClient } from '../support/slow-client.ts'
import { CAN_MEASURE, type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts'

const SLOW = 500

let upstream: RecordingUpstream
let gateway: GatewayProcess
let client: HttpClient
beforeAll(async () => {
  upstream = await startRecordingUpstream()
  gateway = await startGatewayProcess(`
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: "https://gateway.test", timeouts: { header: 3s } }
upstreams: { store: { url: "${upstream.url}/base" } }
routes: [{ name: r4, fhir: R4, path: /fhir/R4, upstream: store, smart: true, audience: "urn:test" }]
`)
  client = new HttpClient(Number(new URL(gateway.url).port))
})
afterAll(async () => {
  client.close()
  await gateway.stop()
  await upstream.close()
})

test('others are served, the slow ones end with 408, and nothing of them is left', async () => {
  const headers = ['authorization', `Bearer ${await gateway.token('system/*.rs')}`]
  const ask = async (): Promise<number> => (await client.ask('GET /fhir/R4/Patient/p1', { headers })).status
  for (let count = 0; count < 50; count++) expect(await ask()).toBe(200)
  const before = gateway.resident()
  const sockets = gateway.sockets()

  const port = Number(new URL(gateway.url).port)
  const slow = await Promise.all(
    Array.from({ length: SLOW }, () => slowClient(port, 'GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nX-Slow: ')),
  )
  let served = 0
  while (slow.some(({ isClosed }) => !isClosed())) {
    expect(await ask()).toBe(200)
    served++
  }
  expect(served).toBeGreaterThan(50)
  expect(slow.filter(({ text }) => refusalIn(text()) === '408 too-slow')).toHaveLength(SLOW)
  await until(() => gateway.sockets() <= sockets)
  // Some 20 KiB each at most, while they were there.
  if (CAN_MEASURE) expect(gateway.resident() - before).toBeLessThan(SLOW * 128 * 1024)
})
