// RUDY: a body that is announced and comes a byte at a time, or never, where it streams to the upstream and where it is read first. It is
// 408 when the patience that its bytes earn is used up, nothing whole ever arrives upstream, and honest slow bodies get through.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { refusalIn } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'
import { slowClient, trickle } from '../support/slow-client.ts'

let rig: Rig
let credential: string
beforeAll(async () => {
  rig = await startRig({
    map: fhirMap({ server: 'timeouts: { idle: 400ms, request: 400ms, minimumRate: 10KiB }' }),
  })
  credential = `Authorization: Bearer ${await rig.token('system/*.cruds')}`
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const head = (line: string, fields: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: x', credential, ...fields].join('\r\n')}\r\n\r\n`

const STREAMED = ['POST /fhir/R4/Observation', 'Content-Type: application/fhir+json'] as const
const READ_FIRST = ['POST /fhir/R4/Observation/_search', 'Content-Type: application/x-www-form-urlencoded'] as const

describe.each([
  ['streamed', STREAMED],
  ['read first', READ_FIRST],
])('a body that is %s', (_, [line, type]) => {
  test.each([
    ['never comes', 'Content-Length: 100000', ''],
    ['stops after a piece', 'Content-Length: 100000', '{"resourceType":"Observation"'],
    ['stops between chunks', 'Transfer-Encoding: chunked', '5\r\n{"res\r\n'],
  ])('and %s is 408', async (_name, length, first) => {
    const client = await slowClient(rig.port, head(line, [type, length]) + first)
    await client.closed
    expect(refusalIn(client.text())).toBe('408 too-slow')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('and trickles is 408, however long it could go on', async () => {
    const client = await slowClient(rig.port, head(line, [type, 'Content-Length: 100000']))
    trickle(client, ' ', 20)
    await client.closed
    expect(refusalIn(client.text())).toBe('408 too-slow')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('is not asked for by 100-continue and then waited for', async () => {
    const client = await slowClient(rig.port, head(line, [type, 'Content-Length: 1000', 'Expect: 100-continue']))
    await until(() => client.text().includes('100 Continue'))
    await client.closed
    expect(refusalIn(client.text().replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''))).toBe('408 too-slow')
  })
})

test('without a credential nobody waits for a body at all', async () => {
  const client = await slowClient(
    rig.port,
    'POST /fhir/R4/Observation HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n',
  )
  await client.closed
  expect(refusalIn(client.text())).toBe('401 token-missing')
})

test('an honest slow body, longer under way than every timeout, arrives whole', async () => {
  const body = JSON.stringify({ resourceType: 'Observation', note: [{ text: 'x'.repeat(30_000) }] })
  const [line, type] = STREAMED
  const client = await slowClient(rig.port, head(line, [type, `Content-Length: ${body.length}`]))
  // 1,500 bytes each 50 ms: thrice the least rate, for a second in all.
  for (let at = 0; at < body.length; at += 1_500) {
    client.socket.write(body.slice(at, at + 1_500))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await until(() => /^HTTP\/1\.1 201 /.test(client.text()))
  expect(rig.upstream.arrived[0]!.text).toBe(body)
  client.socket.destroy()
})
