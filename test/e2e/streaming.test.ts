// Large bodies pass as streams: 200 MB either way, and a Bundle of 200 MB whose links are rewritten, while the resident memory of the
// gateway's process grows by less than 30 MB. The process is a real one and its memory is what the operating system says.

import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CAN_MEASURE, type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts'

const MB = 1_000_000
const SIZE = 200 * MB
const MOST_GROWTH = 30 * MB
const piece = Buffer.alloc(64 * 1024, 'x')
/** 64 bytes each, so that every amount is a whole number of them. */
const references = Buffer.from('{"item":{"reference":"Patient/1"}},'.padEnd(64).repeat(1024))

let upstream: Server
let gateway: GatewayProcess
let token: string
let received = 0

beforeAll(async () => {
  upstream = createServer((incoming, outgoing) => {
    const [, kind, amount = '0'] = /\/(blob|Observation|upload)\D*(\d*)/.exec(incoming.url ?? '') ?? []
    if (kind === 'upload' || incoming.method === 'PUT') {
      received = 0
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      incoming.on('end', () => outgoing.end('done'))
    } else if (kind === 'blob') {
      outgoing.writeHead(200, { 'content-length': amount })
      pour(outgoing, Number(amount), (left) => piece.subarray(0, Math.min(left, piece.length)))
    } else {
      outgoing.writeHead(200, { 'content-type': 'application/fhir+json' })
      outgoing.write('{"resourceType":"Bundle","type":"searchset","entry":[')
      let n = 0
      const { port } = upstream.address() as AddressInfo
      const entry = (): Buffer =>
        Buffer.from(
          `${n === 0 ? '' : ','}{"fullUrl":"http://127.0.0.1:${port}/fhir/Observation/${n++}","resource":{"resourceType":"Observation","note":[{"text":"${'é"'.slice(0, 1).repeat(2000)}"}]}}`,
        )
      pour(outgoing, Number(amount), entry, ']}')
    }
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  gateway = await startGatewayProcess(`
server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0", publicUrl: "https://public.test", limits: { body: 300MiB } }
upstreams:
  fhir: { url: "http://127.0.0.1:${port}/fhir" }
  files: { url: "http://127.0.0.1:${port}" }
routes:
  - { name: fhir, fhir: R4, path: /fhir/R4, upstream: fhir, smart: true, audience: "urn:test" }
  - { name: files, upstream: files, match: { "GET /blob/*": public, "POST /upload": public } }
`)
  token = await gateway.token('system/*.cruds')
})

afterAll(async () => {
  const code = await gateway?.stop()
  upstream?.closeAllConnections()
  upstream?.close()
  expect(code).toBe(0)
})

/** Writes pieces until `amount` bytes are out, no faster than they are taken. */
function pour(to: NodeJS.WritableStream, amount: number, next: (left: number) => Buffer, end = ''): void {
  let left = amount
  const more = (): void => {
    while (left > 0) {
      const bytes = next(left)
      left -= bytes.length
      if (!to.write(bytes)) {
        to.once('drain', more)
        return
      }
    }
    to.end(end)
  }
  more()
}

interface Seen {
  readonly status: number | undefined
  readonly bytes: number
  readonly start: string
  readonly end: string
}

function ask(
  method: string,
  path: string,
  amount = 0,
  wrap: readonly [string, string] = ['', ''],
  fill = piece,
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    const asking = request(gateway.url + path, { method, headers, agent: false }, (answer) => {
      let bytes = 0
      let start = ''
      let end = ''
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (start.length < 500) start += chunk.toString('latin1', 0, 500)
        end = (end + chunk.toString('latin1', Math.max(0, chunk.length - 50))).slice(-50)
      })
      answer.on('end', () => resolve({ status: answer.statusCode, bytes, start, end }))
      answer.on('error', reject)
    })
    asking.on('error', reject)
    asking.write(wrap[0])
    if (amount === 0) asking.end(wrap[1])
    else pour(asking, amount, (left) => fill.subarray(0, Math.min(left, fill.length)), wrap[1])
  })
}

/** The same in small first, so that what is loaded once is there before. */
async function growth(run: (size: number) => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 3; i++) await run(MB)
  gateway.forgetPeak()
  const before = gateway.peak()
  await run(SIZE)
  return gateway.peak() - before
}

test.skipIf(!CAN_MEASURE)('an answer of 200 MB', async () => {
  const grown = await growth(async (size) => {
    const { status, bytes } = await ask('GET', `/blob/${size}`)
    expect([status, bytes]).toEqual([200, size])
  })
  expect(grown).toBeLessThan(MOST_GROWTH)
})

test.skipIf(!CAN_MEASURE)('an upload of 200 MB', async () => {
  const grown = await growth(async (size) => {
    expect((await ask('POST', '/upload', size)).status).toBe(200)
    expect(received).toBe(size)
  })
  expect(grown).toBeLessThan(MOST_GROWTH)
})

test.skipIf(!CAN_MEASURE)('a written resource of 200 MB, which is inspected on its way', async () => {
  const grown = await growth(async (size) => {
    const wrap = ['{"resourceType":"Observation","id":"o1","note":[{"text":"', '"}]}'] as const
    expect((await ask('PUT', '/fhir/R4/Observation/o1', size, wrap)).status).toBe(200)
    expect(received).toBe(size + wrap.join('').length)
  })
  expect(grown).toBeLessThan(MOST_GROWTH)
})

test.skipIf(!CAN_MEASURE)('a written resource of 200 MB of references, each of which is looked at', async () => {
  const grown = await growth(async (size) => {
    const wrap = ['{"resourceType":"List","id":"l1","entry":[', '{}]}'] as const
    expect((await ask('PUT', '/fhir/R4/List/l1', size, wrap, references)).status).toBe(200)
    expect(received).toBe(size + wrap.join('').length)
  })
  expect(grown).toBeLessThan(MOST_GROWTH)
})

test.skipIf(!CAN_MEASURE)('a searchset of 200 MB, whose links are rewritten on its way', async () => {
  const grown = await growth(async (size) => {
    const { status, bytes, start, end } = await ask('GET', `/fhir/R4/Observation?_count=${size}`)
    expect(status).toBe(200)
    expect(start).toContain('"fullUrl":"https://public.test/fhir/R4/Observation/0"')
    expect(start).not.toContain('127.0.0.1')
    expect(end).toMatch(/\]\}$/)
    expect(bytes).toBeGreaterThan(size)
  })
  expect(grown).toBeLessThan(MOST_GROWTH)
})
