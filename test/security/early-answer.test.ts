// An upstream that answers before the body is sent leaves half a request on its connection (reply-from, July 2026; undici's SECURITY.md
// on queue poisoning): that connection must not serve anyone else.

import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { OK, passThrough, startRawUpstream, until } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

test('the answer arrives, the upstream connection is closed, the next request has another one', async () => {
  const upstream = await startRawUpstream((received, socket, nth) => {
    if (nth > 1) socket.write(OK)
    else if (received.length < 5_000) socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  let text = ''
  const client = connect(gateway.port, '127.0.0.1', () =>
    client.write(requestText('POST /', ['Content-Length: 100000'], 'x'.repeat(100))),
  )
  client.on('data', (chunk) => {
    text += chunk.toString()
  })
  await until(() => text.endsWith('no'))
  expect(text).toMatch(/^HTTP\/1\.1 403 /)
  await until(() => upstream.connections[0]!.closed)
  const next = await exchangeRaw(gateway.port, requestText('GET /next'))
  expect(next.text).toMatch(/ok$/)
  expect(upstream.connections).toHaveLength(2)
  expect(upstream.connections[1]?.text).toMatch(/^GET \/next HTTP/)
  client.destroy()
})

test('what the client still sends is discarded, and its next request is read from the right place', async () => {
  const upstream = await startRawUpstream((received, socket, nth) => {
    if (nth > 1) socket.write(OK)
    else if (received.length < 5_000) socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
  })
  const gateway = await passThrough(upstream.url)
  let text = ''
  const client = connect(gateway.port, '127.0.0.1', () =>
    client.write(requestText('POST /', ['Content-Length: 5000'], 'x'.repeat(100)).replace('Connection: close\r\n', '')),
  )
  client.on('data', (chunk) => {
    text += chunk.toString()
  })
  await until(() => text.endsWith('no'))
  client.write(`${'x'.repeat(4_900)}${requestText('GET /next')}`)
  await until(() => text.endsWith('ok'))
  expect(upstream.connections.at(-1)?.text).toMatch(/^GET \/next HTTP/)
  client.destroy()
})
