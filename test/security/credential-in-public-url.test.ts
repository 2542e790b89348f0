// On a public path nobody looks for a credential; one in the URL would go to the server behind it, and into its logs.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()
const KEY = `sgk_${'A'.repeat(43)}`

test.each([
  ['a token', 'access_token=abc'],
  ['an encoded name', 'a=1&%61ccess%5Ftoken=abc'],
  ['another case', 'Access_Token=abc'],
  ['no value', 'access_token'],
  ['a key by its shape', `k=${KEY}`],
])('%s', async (_, query) => {
  await border.refused(requestText(`GET /app/public/x?${query}`), '400 credential-ambiguous')
  await border.refused(requestText(`GET /app/public/x?${query}`, [border.authorization]), '400 credential-ambiguous')
})

test('what only looks similar passes', async () => {
  const { target } = await border.passed(requestText('GET /app/public/x?token=abc&access_token_type=b&k=sgk_short'))
  expect(target).toBe('/base/app/public/x?token=abc&access_token_type=b&k=sgk_short')
})
