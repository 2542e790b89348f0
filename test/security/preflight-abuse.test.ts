// A preflight is answered without a credential, so nothing else may pass for one, and nothing of it may reach an upstream.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const ORIGIN = 'Origin: https://app.example.org'
const ASKS = 'Access-Control-Request-Method: GET'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ more: 'cors: { origins: ["https://app.example.org"] }' }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

async function send(line: string, fields: readonly string[], body = ''): Promise<string> {
  const { text } = await exchangeRaw(rig.port, requestText(line, fields, body))
  expect(rig.upstream.arrived).toEqual([])
  return text
}

test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE'])(
  '%s with the fields of a preflight is none',
  async (method) => {
    const text = await send(`${method} /fhir/R4/Patient/p1`, [ORIGIN, ASKS])
    expect(text).toMatch(/^HTTP\/1\.1 40[15] /)
  },
)

test('with everything that overrides a method', async () => {
  const text = await send('OPTIONS /fhir/R4/Patient/p1', [ORIGIN, ASKS, 'X-HTTP-Method-Override: GET'])
  expect(text).toMatch(/^HTTP\/1\.1 (204|400) /)
})

test.each([
  ['two origins', [ORIGIN, 'Origin: https://evil.example', ASKS]],
  ['two methods', [ORIGIN, ASKS, 'Access-Control-Request-Method: DELETE']],
  ['an alias of the origin', [ORIGIN, ASKS, 'Access_Control_Request_Method: DELETE']],
  ['two credentials', [ORIGIN, ASKS, 'Authorization: Bearer a', 'Authorization: Bearer b']],
])('%s: refused, and no page is told more than it may hear', async (_, fields) => {
  const text = await send('OPTIONS /fhir/R4/Patient/p1', fields)
  expect(text).toMatch(/^HTTP\/1\.1 40[01] /)
  expect(text).not.toMatch(/evil\.example/)
})

test('a body behind it is no second request', async () => {
  const hidden = requestText('GET /fhir/R4/Patient/p1', [`Authorization: Bearer ${await rig.token('system/*.r')}`])
  for (const fields of [[`Content-Length: ${hidden.length}`], ['Transfer-Encoding: chunked']]) {
    const body = fields[0]!.startsWith('T') ? `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n` : hidden
    const text = await send('OPTIONS /fhir/R4/Patient/p1', [ORIGIN, ASKS, ...fields], body)
    expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
  }
})

test('names that would split the answer are not echoed', async () => {
  const text = await send('OPTIONS /fhir/R4/Patient/p1', [
    ORIGIN,
    ASKS,
    'Access-Control-Request-Headers: a b, x:y, ("z")',
  ])
  expect(text).toMatch(/^HTTP\/1\.1 204 /)
  expect(text).not.toMatch(/x:y|"z"/)
})

test('a target that is ambiguous stays refused', async () => {
  expect(refusalIn(await send('OPTIONS /fhir/R4/..%2fPatient', [ORIGIN, ASKS]))).toBe('400 target-ambiguous')
})

test('what a preflight allows is not granted: the request itself needs its credential', async () => {
  const text = await send('GET /fhir/R4/Patient/p1', [ORIGIN])
  expect(refusalIn(text)).toBe('401 token-missing')
  expect(text).toMatch(/^access-control-allow-origin: https:\/\/app\.example\.org\r$/m)
  expect(text).not.toMatch(/access-control-allow-credentials/)
})
