// What an upstream puts into a field must not become a field or an answer of its own (undici CVE-2026-1527 was the way out, this is the
// way back): our names are ours, and lines end where we end them.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'
import { readAnswer } from '../support/wire.ts'
import { answerText } from '../support/wire-upstream.ts'

const border = useBorder()

test.each([
  'Location: /base/app/x%0d%0aSet-Cookie:%20evil=1',
  'Location: /base/app/x\r\nLocation: http://evil.example/',
  'X-Request-Id: evil',
  'Connection: X-Request-Id, Date, X-Hop\r\nX-Hop: evil',
  'Keep-Alive: timeout=evil',
  'Proxy-Authenticate: evil',
  'Upgrade: evil',
  'Trailer: evil',
  'Alt-Svc: h2="evil:443"',
  'Refresh: 0; url=http://evil.example/',
  'Access-Control-Allow-Origin: http://evil.example',
  'X-Accel-Redirect: /evil',
  '__proto__: evil',
])('%j', async (fields) => {
  border.upstream.answer = () => answerText(200, '{"a":1}', 'GET', [fields])
  const { text } = await border.send(requestText('GET /app/x', [border.authorization]))
  const read = readAnswer(text, 'GET', true)
  expect(read?.length).toBe(text.length)
  expect(read?.message.status).toBe(200)
  const names = read!.message.fields.map(([name]) => name)
  expect(names.filter((name) => name === 'x-request-id')).toHaveLength(1)
  expect(names).not.toContain('set-cookie')
  expect(text.replace(/^location: .*$/im, '')).not.toContain('evil')
})

test('obs-text stays what it was, in one field', async () => {
  border.upstream.answer = () => answerText(200, '{"a":1}', 'GET', ['X-Note: caf\xe9'])
  const { text } = await border.send(requestText('GET /app/x', [border.authorization]))
  expect(text).toMatch(/^x-note: caf\xe9\r$/im)
})
