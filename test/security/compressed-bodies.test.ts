// A kilobyte that inflates to a gigabyte (undici CVE-2026-1526 did for WebSockets): the gateway inflates nothing. What it has to read
// must come plain, on both ways; what it passes on unread goes as it came, byte for byte.

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()
const bomb = gzipSync(Buffer.alloc(50_000_000, ' ')).toString('latin1')
const sent = (line: string, type: string, coding = 'gzip'): string => {
  const fields = [
    border.authorization,
    `Content-Type: ${type}`,
    `Content-Encoding: ${coding}`,
    `Content-Length: ${bomb.length}`,
  ]
  return requestText(line, fields, bomb)
}

test.each([
  ['POST /fhir/R4', 'application/fhir+json'],
  ['POST /fhir/R4/Patient', 'application/fhir+json'],
  ['PUT /fhir/R4/Patient/p1', 'application/fhir+json'],
  ['POST /fhir/R4/Patient/_search', 'application/x-www-form-urlencoded'],
  ['POST /fhir/R4/Subscription', 'application/fhir+json'],
])('%s must be read, so it must not be compressed', async (line, type) => {
  for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'GZIP', 'identity, gzip', 'x-unknown']) {
    await border.refused(sent(line, type, coding), '400 body-invalid')
  }
})

test('what nobody reads arrives as it was sent', async () => {
  const { body, bytes } = await border.passed(sent('POST /app/x', 'application/octet-stream'))
  expect(body === bomb).toBe(true)
  expect(bytes).toMatch(/^content-encoding: gzip\r$/m)
})

test('an answer that must be read and comes compressed, though it was asked for plain, is a 502', async () => {
  border.upstream.answer = () =>
    `HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n${bomb}`
  const { text } = await border.send(
    requestText('GET /fhir/R4/Patient?name=x', [border.authorization, 'Accept-Encoding: gzip']),
  )
  expect(text).toMatch(/^HTTP\/1\.1 502 /)
  expect(border.upstream.requests[0]!.bytes).toMatch(/^accept-encoding: identity\r$/m)
})

test('an answer that nobody reads comes back as it was given', async () => {
  border.upstream.answer = () =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n${bomb}`
  const { text } = await border.send(requestText('GET /app/x', [border.authorization, 'Accept-Encoding: gzip']))
  expect(text).toMatch(/^content-encoding: gzip\r$/im)
  expect(text.endsWith(bomb)).toBe(true)
})
