// A target that names a host is another host to one reader and a path to the next (HAProxy's authority checks of 2026; RFC 9112 §3.2).
// Only the origin form passes, and the route never depends on the Host.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()

test.each([
  'GET http://client.test/app/public/x',
  'GET HTTP://client.test/app/public/x',
  'GET https://evil.example/app/public/x',
  'GET http://a@b@c/app/public/x',
  'GET ftp://client.test/app/public/x',
  'GET client.test:80',
  'GET //client.test/app/public/x',
  'GET ///app/public/x',
  'OPTIONS *',
  'GET *',
  'GET app/public/x',
  'GET ?app/public/x',
  'GET \\app\\public\\x',
  'GET /\\client.test/app/public/x',
])('%s', async (line) => {
  await border.refused(requestText(line), /^400 (?:target|header)-ambiguous$/)
})

test.each(['a/b', 'a@b', 'a, b', 'a b', 'a#b', 'a?b', '[::1', 'a:b', 'a:999999', 'a\\b'])('Host: %s', async (host) => {
  const text = requestText('GET /app/public/x').replace('client.test', host)
  await border.refused(text, '400 header-ambiguous')
})

test('the Host decides nothing and does not arrive', async () => {
  const { bytes } = await border.passed(requestText('GET /app/public/x').replace('client.test', 'evil.example'))
  expect(bytes).toMatch(/^GET \/base\/app\/public\/x HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/)
  expect(bytes).not.toContain('evil')
})
