// Chunks that readers measure in different ways (Node CVE-2025-23167, llhttp's lenient years, Google's and Apache Traffic Server's chunk
// extensions of 2025): what arrives has been framed anew, and what cannot be measured is refused and ends the connection.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()
const chunked = (body: string): string =>
  requestText('POST /app/x', [border.authorization, 'Transfer-Encoding: chunked'], body)

test.each([
  '2\nok\n0\n\n',
  '2\nok\r\n0\r\n\r\n',
  '2\rok\r\n0\r\n\r\n',
  '2\r\nok0\r\n\r\n',
  '2\r\nokk\r\n0\r\n\r\n',
  '2\r\nok\n0\r\n\r\n',
  '-2\r\nok\r\n0\r\n\r\n',
  '+2\r\nok\r\n0\r\n\r\n',
  '0x2\r\nok\r\n0\r\n\r\n',
  ' 2\r\nok\r\n0\r\n\r\n',
  '2 \r\nok\r\n0\r\n\r\n',
  '\r\nok\r\n0\r\n\r\n',
  'zz\r\nok\r\n0\r\n\r\n',
  '10000000000000002\r\nok\r\n0\r\n\r\n',
  '2;\r\nok\r\n0\r\n\r\n',
  '2;a\nok\r\n0\r\n\r\n',
  '2;a\rb\r\nok\r\n0\r\n\r\n',
  '2;a=\x80\r\nok\r\n0\r\n\r\n',
  '2;a="b\nok\r\n0\r\n\r\n',
  `2;${'a'.repeat(20_000)}\r\nok\r\n0\r\n\r\n`,
])('%j', async (body) => {
  const { text } = await border.send(chunked(body))
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text).toMatch(/"code":"body-invalid"|"code":"header-ambiguous"/)
  expect(text.match(/HTTP\/1\.1 \d{3} /g)).toHaveLength(1)
  // The head may have left before the fault was there to see; then no request was ever whole.
  expect(border.upstream.requests).toEqual([])
  expect(border.upstream.malformed).toEqual([])
})

test.each([
  ['2;a=b;c="d e"\r\nok\r\n0;x\r\n\r\n', 'ok'],
  ['0000000000000000000002\r\nok\r\n0\r\n\r\n', 'ok'],
  ['1\r\no\r\n1\r\nk\r\n0\r\nX-Trailer: 1\r\n\r\n', 'ok'],
  ['A\r\n0123456789\r\n000\r\n\r\n', '0123456789'],
  ['0\r\n\r\n', ''],
])('%j arrives without what is not body', async (body, content) => {
  const request = await border.passed(chunked(body))
  expect(request.body).toBe(content)
  expect(request.bytes).not.toMatch(/a=b|;x|trailer/i)
})
