// HTTP/0.9 has no fields, HTTP/1.0 no chunks and no Host, HTTP/2 other bytes: who takes them for HTTP/1.1 reads something else.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'

const border = useBorder()
const line = (version: string, fields = 'Host: x\r\n'): string => `GET /app/public/x ${version}\r\n${fields}\r\n`

test.each([
  ['HTTP/0.9', 'GET /app/public/x\r\n\r\n'],
  ['HTTP/0.9 in words', line('HTTP/0.9')],
  ['HTTP/2.0', line('HTTP/2.0')],
  ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
  ['HTTP/1.2', line('HTTP/1.2')],
  ['HTTP/1.10', line('HTTP/1.10')],
  ['HTTP/3.0', line('HTTP/3.0')],
  ['http/1.1', line('http/1.1')],
  ['HTTP/1.1 and a blank', line('HTTP/1.1 ')],
  ['HTTPS/1.1', line('HTTPS/1.1')],
  ['HTTP/1.1 without a Host', line('HTTP/1.1', '')],
  ['TLS on the plain port', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
  ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['SMTP', 'EHLO x\r\nMAIL FROM:<x>\r\n'],
  ['the line of a proxy', 'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET /app/public/x HTTP/1.1\r\nHost: x\r\n\r\n'],
])('%s', async (_, bytes) => {
  await border.refused(bytes, '400 header-ambiguous')
})

test('HTTP/1.0 is served, closed behind its answer, and goes upstream as HTTP/1.1', async () => {
  const { bytes } = await border.passed(`${line('HTTP/1.0', '')}GET /app/public/second HTTP/1.0\r\n\r\n`)
  expect(bytes).toMatch(/^GET \/base\/app\/public\/x HTTP\/1\.1\r\n/)
})
