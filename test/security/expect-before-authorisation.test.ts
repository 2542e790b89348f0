// `100 Continue` says "go on, I will read it": it must not be said before the request is authorised (contract §1 step 3), and the
// expectation must not go upstream, where undici would throw on it.

import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { refuse } from '../../src/domain/refusal.ts'
import { OK, passThrough, startRawUpstream, until } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

const FIELDS = ['Expect: 100-continue', 'Content-Length: 5']

test('a refused request gets its refusal and no 100', async () => {
  const gateway = await passThrough('http://127.0.0.1:1', { refuse: refuse('token-missing', 'Send a token.') })
  const { text } = await exchangeRaw(gateway.port, requestText('POST /', FIELDS))
  expect(text).toMatch(/^HTTP\/1\.1 401 /)
  expect(text).not.toContain('100 Continue')
})

test('a cleared request gets 100 when its body is wanted', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('hello')) socket.write(OK)
  })
  const gateway = await passThrough(upstream.url)
  let text = ''
  const socket = connect(gateway.port, '127.0.0.1', () => socket.write(requestText('POST /', FIELDS)))
  socket.on('data', (chunk) => {
    text += chunk.toString()
    if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('hello')
  })
  await until(() => text.includes('ok'))
  expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  expect(upstream.connections[0]?.text).not.toMatch(/expect/i)
  socket.destroy()
})

test.each(['100-continue, x', 'x, 100-continue', '100-continue;q=1', 'x=100-continue'])(
  '%s is a 417, and no 100 is sent',
  async (value) => {
    const gateway = await passThrough('http://127.0.0.1:1')
    const { text } = await exchangeRaw(gateway.port, requestText('POST /', [`Expect: ${value}`, 'Content-Length: 5']))
    expect(text).toMatch(/^HTTP\/1\.1 417 /)
  },
)

test('HTTP/1.0 knows no 100', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('hello')) socket.write(OK)
  })
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(gateway.port, `POST / HTTP/1.0\r\n${FIELDS.join('\r\n')}\r\n\r\nhello`)
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  expect(upstream.connections[0]?.text).not.toMatch(/expect/i)
})

test('any other expectation is a 417', async () => {
  const gateway = await passThrough('http://127.0.0.1:1')
  const { text } = await exchangeRaw(
    gateway.port,
    requestText('POST /', ['Expect: the-unexpected', 'Content-Length: 0']),
  )
  expect(text).toMatch(/^HTTP\/1\.1 417 /)
})
