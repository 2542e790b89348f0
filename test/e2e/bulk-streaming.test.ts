// A file of a bulk export of 200 MB, of which every line is judged, while the resident memory of the gateway's process grows by less
// than 30 MB. The process is a real one and its memory is what the operating system says.

import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CAN_MEASURE, type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts'

const MB = 1_000_000
const SIZE = 200 * MB
const MOST_GROWTH = 30 * MB
const SCOPE = 'system/Observation.rs?category=laboratory'
const PUBLIC_URL = 'https://public.test'

const observation = (category: string): Buffer =>
  Buffer.from(
    `${JSON.stringify({
      resourceType: 'Observation',
      id: category,
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] },
      ],
      note: [{ text: 'é'.repeat(500) }],
    })}\n`,
  )
const KEPT = observation('laboratory')
const DROPPED = observation('vital-signs')
/** Cut anywhere by the pieces in which it is sent. */
const PAIRS = Buffer.concat(Array.from({ length: 30 }, () => [KEPT, DROPPED]).flat())

let size = MB
let sent = 0
let upstream: Server
let gateway: GatewayProcess
let headers: Record<string, string>

beforeAll(async () => {
  upstream = createServer((incoming, outgoing) => {
    const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/fhir`
    if (incoming.url!.endsWith('/metadata')) {
      outgoing.writeHead(404).end()
    } else if (incoming.url!.includes('$export')) {
      outgoing.writeHead(202, { 'content-location': `${base}/job` }).end()
    } else if (incoming.url === '/fhir/job') {
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify({ transactionTime: 'now', output: [{ type: 'Observation', url: `${base}/file` }] }))
    } else {
      outgoing.writeHead(200, { 'content-type': 'application/fhir+ndjson' })
      sent = 0
      const more = (): void => {
        while (sent < size) {
          sent += PAIRS.length
          if (!outgoing.write(PAIRS)) return void outgoing.once('drain', more)
        }
        outgoing.end()
      }
      more()
    }
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  gateway = await startGatewayProcess(`
server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0", publicUrl: "${PUBLIC_URL}" }
upstreams: { fhir: { url: "http://127.0.0.1:${port}/fhir" } }
routes:
  - { name: fhir, fhir: R4, path: /fhir, upstream: fhir, smart: true, audience: "urn:test", operations: { $export: { bulk: true } } }
`)
  headers = { authorization: `Bearer ${await gateway.token(SCOPE)}`, prefer: 'respond-async' }
})

afterAll(async () => {
  const code = await gateway?.stop()
  upstream?.closeAllConnections()
  upstream?.close()
  expect(code).toBe(0)
})

interface Got {
  readonly status: number
  readonly location: string | undefined
  readonly bytes: number
  /** Of a short answer. */
  readonly text: string
}

function ask(path: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request(gateway.url + path, { headers }, (answer) => {
      let bytes = 0
      let text = ''
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes < 10_000) text += chunk.toString()
      })
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode!, location: answer.headers['content-location'], bytes, text }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

const local = (url: string): string => url.slice(PUBLIC_URL.length)

test.skipIf(!CAN_MEASURE)(
  '200 MB of NDJSON, every line judged',
  async () => {
    const kickOff = await ask('/fhir/$export?_type=Observation')
    const manifest = JSON.parse((await ask(local(kickOff.location!))).text)
    const file = local(manifest.output[0].url)
    for (let i = 0; i < 3; i++) await ask(file)
    const before = gateway.resident()
    gateway.forgetPeak()
    size = SIZE
    const { status, bytes } = await ask(file)
    expect(status).toBe(200)
    expect(sent).toBeGreaterThanOrEqual(SIZE)
    expect(bytes).toBe((sent / PAIRS.length) * 30 * KEPT.length)
    expect(gateway.peak() - before).toBeLessThan(MOST_GROWTH)
  },
  120_000,
)
