// More than honest clients send, of everything that stands before a body: refused by our own limits with the status that says which one
// (Envoy CVE-2026-47774 and Node's header bombs were about what nobody counted). A count limit never drops the rest in silence.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder('limits: { header: 8KiB, target: 2KiB, token: 1KiB, searchParameters: 20, body: 4KiB }')
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: 1`)
const query = (count: number): string => Array.from({ length: count }, (_, i) => `a${i}=1`).join('&')

test('fields by number: a hundred with those that are needed anyway', async () => {
  await border.refused(requestText('GET /app/x', [border.authorization, ...many(98)]), '431 headers-too-large')
  await border.refused(requestText('GET /app/x', [border.authorization, ...many(900)]), '431 headers-too-large')
  const { fields } = await border.passed(requestText('GET /app/x', [border.authorization, ...many(97)]))
  expect(fields.filter(([name]) => /^x-\d+$/.test(name))).toHaveLength(97)
})

test('the hundred and first is a second credential', async () => {
  await border.refused(
    requestText('GET /app/x', [border.authorization, ...many(98), 'Authorization: Bearer x']),
    '431 headers-too-large',
  )
})

test.each([
  ['one long value', [`X: ${'x'.repeat(9_000)}`]],
  ['one long name', [`${'x'.repeat(9_000)}: 1`]],
  ['many', Array.from({ length: 50 }, (_, i) => `X-${i}: ${'x'.repeat(200)}`)],
  ['far too many', [`X: ${'x'.repeat(200_000)}`]],
])('fields by bytes: %s', async (_, fields) => {
  await border.refused(requestText('GET /app/x', [border.authorization, ...fields]), '431 headers-too-large')
})

test('targets by bytes', async () => {
  await border.refused(requestText(`GET /app/${'x'.repeat(2_050)}`, [border.authorization]), '414 target-too-long')
  await border.refused(requestText(`GET /app/${'x'.repeat(90_000)}`, [border.authorization]), '414 target-too-long')
  await border.refused(requestText(`GET /app/x?${'x'.repeat(2_050)}`, [border.authorization]), '414 target-too-long')
  await border.passed(requestText(`GET /app/${'x'.repeat(2_048 - 5)}`, [border.authorization]))
})

test('parameters by number, in a query and in a form', async () => {
  for (const line of ['GET /app/x', 'GET /fhir/R4/Patient']) {
    await border.refused(requestText(`${line}?${query(21)}`, [border.authorization]), '414 target-too-long')
    await border.refused(requestText(`${line}?${'x&'.repeat(500)}`, [border.authorization]), '414 target-too-long')
  }
  const body = query(21)
  const fields = [
    border.authorization,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ]
  await border.refused(requestText('POST /fhir/R4/Patient/_search', fields, body), /^400 body-invalid$/)
})

test('tokens by bytes', async () => {
  await border.refused(requestText('GET /app/x', [`Authorization: Bearer ${'x'.repeat(1_100)}`]), '401 token-invalid')
})

test('bodies by bytes, announced and in chunks', async () => {
  await border.refused(
    requestText('POST /app/x', [border.authorization, 'Content-Length: 5000'], 'x'.repeat(5_000)),
    '413 body-too-large',
  )
  await border.refused(
    requestText('POST /app/x', [border.authorization, 'Content-Length: 999999999999999']),
    '413 body-too-large',
  )
  const chunk = `1000\r\n${'x'.repeat(4_096)}\r\n`
  const { text } = await border.send(
    requestText('POST /app/x', [border.authorization, 'Transfer-Encoding: chunked'], `${chunk}${chunk}0\r\n\r\n`),
  )
  expect(text).toMatch(/^HTTP\/1\.1 413 /)
  expect(border.upstream.requests).toEqual([])
})
