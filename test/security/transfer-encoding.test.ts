// Only the exact `chunked`, on HTTP/1.1, alone: every other spelling is a coding to one reader and none to another (TE.CL, TE.TE; Node
// CVE-2022-35256, HAProxy CVE-2023-25725). Not a byte of what is refused goes upstream, and nothing behind it is read as a request.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()
const BEHIND = 'GET /app/public/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

test.each([
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: chunked,',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: chunked\x0b',
  'Transfer-Encoding:\x0cchunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: \r\n chunked',
  'Transfer-Encoding:',
  'Transfer_Encoding: chunked',
  'Transfer.Encoding: chunked',
  'Transfer~Encoding: chunked',
  'Transfer-Encoding\0: chunked',
  '\0Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
])('%j', async (field) => {
  const text = requestText('POST /app/x', [border.authorization, field], `0\r\n\r\n${BEHIND}`)
  await border.refused(text.replace('Connection: close\r\n', ''), /^400 (?:header-ambiguous|body-invalid)$/)
})

test('on HTTP/1.0', async () => {
  const text = `POST /app/x HTTP/1.0\r\nHost: x\r\n${border.authorization}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${BEHIND}`
  await border.refused(text, '400 header-ambiguous')
})

test('chunked, in any case, is framed anew: the bytes of one request and no more', async () => {
  const text = requestText(
    'DELETE /app/x',
    [border.authorization, 'Transfer-Encoding: Chunked'],
    `${BEHIND.length.toString(16)};a=b\r\n${BEHIND}\r\n0\r\nX-T: 1\r\n\r\n`,
  )
  const { method, body, bytes } = await border.passed(text)
  expect([method, body]).toEqual(['DELETE', BEHIND])
  expect(bytes).toMatch(/^transfer-encoding: chunked\r$/m)
  expect(bytes).not.toMatch(/content-length|a=b|X-T/i)
})
