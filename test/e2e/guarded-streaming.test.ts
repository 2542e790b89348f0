// A searchset of 50 MB through the guard, in a process of its own: entry by entry, in flat memory, the first bytes out before the last
// are in; what is refused is missing, everything else is byte for byte what the server wrote; and what is not whole never ends as if
// it were.

import { createServer, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CAN_MEASURE, type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts'

const MB = 1_000_000
const MOST_GROWTH = 30 * MB
const LABORATORY = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory'

let upstream: Server
let upstreamBase: string
let gateway: GatewayProcess
let token: string
/** How the upstream answers a search. */
let answer: (outgoing: ServerResponse) => void

beforeAll(async () => {
  upstream = createServer((incoming, outgoing) => {
    if (incoming.url!.endsWith('/metadata')) outgoing.writeHead(404).end()
    else answer(outgoing)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  upstreamBase = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/fhir`
  gateway = await startGatewayProcess(`
server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0", publicUrl: "https://public.test" }
upstreams: { store: { url: "${upstreamBase}" } }
routes: [{ name: fhir, fhir: R4, path: /fhir/R4, upstream: store, smart: true, audience: "urn:test" }]
`)
  token = await gateway.token(`system/Observation.rs?category=${LABORATORY}`)
})
afterAll(async () => {
  await gateway?.stop()
  upstream?.closeAllConnections()
  upstream?.close()
})

const HEAD = '{"resourceType":"Bundle","type":"searchset","entry":[\n'

/** About 2 kB; every byte of it counts. Of the code `x` it is outside the scope. */
function resource(i: number, code = 'laboratory'): string {
  const category = `[{ "coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"${code}"}]}]`
  return `{"resourceType":"Observation", "id":"o${i}","category":${category},"note":[{"text":"${'grün é \\u00e4 '.repeat(120)}${i}"}],"valueQuantity":{"value":1.50}}`
}

function entry(i: number, base: string, code?: string): string {
  return `{"fullUrl":"${base}/Observation/o${i}","resource":${resource(i, code)},"search":{"mode":"match"}}`
}

/** The bytes from `from` on, in pieces that follow no border, no faster than they are taken. */
function pour(outgoing: ServerResponse, pieces: Generator<Buffer>, end: () => void): void {
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    if (outgoing.write(next.value)) continue
    outgoing.once('drain', () => pour(outgoing, pieces, end))
    return
  }
  end()
}

function* searchset(entries: number, refused: number): Generator<Buffer> {
  yield Buffer.from(HEAD)
  for (let i = 0; i < entries; i++) {
    yield Buffer.from(`${i === 0 ? '' : ',\n'}${entry(i, upstreamBase, i === refused ? 'x' : undefined)}`)
  }
  yield Buffer.from('],"total":7}')
}

const ENTRIES = Math.ceil((50 * MB) / Buffer.byteLength(entry(1, 'http://127.0.0.1:1/fhir')))

interface Got {
  readonly status: number | undefined
  readonly body: Buffer
  /** Whether it ended as a whole answer does. */
  readonly whole: boolean
}

function search(onData?: (bytes: Buffer) => void): Promise<Got> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` }
    const chunks: Buffer[] = []
    let status: number | undefined
    const done = (whole: boolean): void => resolve({ status, body: Buffer.concat(chunks), whole })
    const asking = request(`${gateway.url}/fhir/R4/Observation`, { headers, agent: false }, (answered) => {
      status = answered.statusCode
      answered.on('data', (bytes: Buffer) => {
        chunks.push(bytes)
        onData?.(bytes)
      })
      answered.on('end', () => done(answered.complete))
      answered.on('error', () => done(false))
    })
    asking.on('error', () => done(false))
    asking.end()
  })
}

test.skipIf(!CAN_MEASURE)('50 MB in flat memory', async () => {
  answer = (outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'application/fhir+json' })
    pour(outgoing, searchset(ENTRIES, ENTRIES >> 1), () => outgoing.end())
  }
  for (let i = 0; i < 2; i++) await search()
  gateway.forgetPeak()
  const before = gateway.peak()
  const { status, whole, body } = await search()
  expect([status, whole]).toEqual([200, true])
  expect(body.length).toBeGreaterThan(50 * MB)
  expect(gateway.peak() - before).toBeLessThan(MOST_GROWTH)
})

test('a refused entry in the middle is missing, all others are byte for byte as they were', async () => {
  const refused = ENTRIES >> 1
  answer = (outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'application/fhir+json' })
    pour(outgoing, searchset(ENTRIES, refused), () => outgoing.end())
  }
  const { status, body, whole } = await search()
  expect([status, whole]).toEqual([200, true])
  const entries: string[] = []
  for (let i = 0; i < ENTRIES; i++) if (i !== refused) entries.push(entry(i, 'https://public.test/fhir/R4'))
  // The comma goes with the entry behind it.
  const expected = Buffer.from(`${HEAD}${entries.join(',\n')}]}`)
  expect(body.length).toBe(expected.length)
  expect(body.equals(expected)).toBe(true)
})

test('the first entries leave before the last arrive', async () => {
  let left: () => void
  const seen = new Promise<void>((resolve) => {
    left = resolve
  })
  answer = async (outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'application/fhir+json' })
    outgoing.write(
      `${HEAD}${entry(0, upstreamBase)},${entry(1, upstreamBase, 'x')},${entry(2, upstreamBase)},{"fullUrl"`,
    )
    await seen
    outgoing.end(`:"${upstreamBase}/Observation/o3","resource":${resource(3)}}]}`)
  }
  let text = ''
  const { status, body } = await search((bytes) => {
    text += bytes.toString()
    if (text.includes('"id":"o2"') && !text.includes('"id":"o3"')) left()
  })
  const ids = JSON.parse(body.toString()).entry.map((one: { resource: { id: string } }) => one.resource.id)
  expect([status, ids]).toEqual([200, ['o0', 'o2', 'o3']])
})

describe('what is not whole never ends as if it were', () => {
  const begun = `${HEAD}${entry(0, 'http://127.0.0.1:1/fhir')}`
  const long = Array.from({ length: 200 }, (_, i) => entry(i, 'http://127.0.0.1:1/fhir')).join()

  test.each<[name: string, body: string, cut: boolean]>([
    ['cut within an entry', `${begun},{"fullUrl":"x"`, true],
    ['cut behind an entry', begun, true],
    ['cut behind many', `${HEAD}${long}`, true],
    ['ended within an entry', `${begun},{"fullUrl":"x"`, false],
    ['ended behind many', `${HEAD}${long}`, false],
    ['broken behind many', `${HEAD}${long},}]}`, false],
    ['two documents', `${HEAD}${long}]}{}`, false],
    ['not a Bundle after all', `{"entry":[${long}],"resourceType":"Patient"}`, false],
    ['broken in a resource', `${HEAD}${long},{"resource":{"resourceType":"Observation",}}]}`, false],
  ])('%s', async (_, body, cut) => {
    answer = (outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/fhir+json' })
      outgoing.write(body, () => (cut ? outgoing.destroy() : outgoing.end()))
    }
    const got = await search()
    if (got.status === 200) expect(got.whole).toBe(false)
    else expect(got.status).toBe(502)
  })

  test('an entry larger than may be held', async () => {
    answer = (outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/fhir+json' })
      outgoing.write(`${HEAD}${long},{"resource":{"resourceType":"Observation","note":[{"text":"`)
      pour(
        outgoing,
        (function* () {
          for (let i = 0; i < 11; i++) yield Buffer.alloc(MB, 'x')
        })(),
        () => outgoing.end('"}]}}]}'),
      )
    }
    const { status, whole, body } = await search()
    expect([status, whole]).toEqual([200, false])
    expect(body.length).toBeLessThan(MB)
  })
})
