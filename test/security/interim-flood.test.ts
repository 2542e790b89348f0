// An upstream may announce its answer (1xx) as often as it likes, and each announcement starts the wait for the answer anew in the HTTP
// client: a few are dropped, more of them end the exchange.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'
import { answerText } from '../support/wire-upstream.ts'

const border = useBorder()
const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nX-Hint: 1\r\n\r\n'

test('a few are not passed on', async () => {
  border.upstream.answer = () => HINT.repeat(3) + answerText(200, '{"a":1}')
  const { text } = await border.send(requestText('GET /app/public/x'))
  expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"a":1\}$/)
  expect(text).not.toMatch(/103|hint/i)
})

test.each([102, 103, 199])('a flood of %d, all at once', async (status) => {
  border.upstream.answer = () => HINT.replace('103', `${status}`).repeat(5_000) + answerText(200, '{"a":1}')
  const { text } = await border.send(requestText('GET /app/public/x'))
  expect(text).toMatch(/^HTTP\/1\.1 502 /)
  expect(text).toContain('"code":"upstream-broken"')
})

test('a flood that trickles, each of it within the time that is waited', async () => {
  border.upstream.answer = (_request, socket) => {
    const timer = setInterval(() => socket.write(HINT), 5)
    socket.on('close', () => clearInterval(timer))
    return undefined
  }
  const { text } = await border.send(requestText('GET /app/public/x'))
  expect(text).toMatch(/^HTTP\/1\.1 502 /)
})

test.each(['100 Continue', '101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c'])(
  '%s, which nobody asked for',
  async (status) => {
    border.upstream.answer = () => `HTTP/1.1 ${status}\r\n\r\n${answerText(200, '{"a":1}')}`
    const { text } = await border.send(requestText('GET /app/public/x'))
    expect(text).toMatch(/^HTTP\/1\.1 502 /)
    expect(text).not.toContain('"a":1')
  },
)
