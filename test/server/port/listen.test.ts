// The public port before there is a request to route: limits, slow clients, broken bytes, and the way it drains.

import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type Listener, type ListenOptions, listen, type RequestListener } from '../../../src/server/port/listen.ts'
import { until } from '../../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../../support/raw-socket.ts'

const open: Listener[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close(0)))
})

async function start(listener: Partial<RequestListener> = {}, options: Partial<ListenOptions> = {}): Promise<Listener> {
  const started = await listen(
    {
      host: '127.0.0.1',
      port: 0,
      limits: { header: 4_096, target: 1_024 },
      timeouts: { header: 300, idle: 2_000, request: 600 },
      ...options,
    },
    {
      handle: (_request, response) => response.end('handled'),
      refuse: (_request, response, refusal) => response.writeHead(refusal.status, { code: refusal.code }).end(),
      ...listener,
    },
  )
  open.push(started)
  return started
}

/** The one answer on a connection, its body read as JSON. */
async function problem(port: number, bytes: string): Promise<{ status: number; code: string; text: string }> {
  const { text } = await exchangeRaw(port, bytes)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(head).toMatch(/^content-type: application\/problem\+json$/m)
  expect(head).toMatch(/^connection: close$/m)
  expect(head).toMatch(/^x-request-id: \S+$/m)
  expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`)
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), code: JSON.parse(body).code, text }
}

describe('what is no request is answered in the form of the contract', () => {
  test.each([
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(8_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    ['a target that is far too long', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414, 'target-too-long'],
    ['noise', 'EHLO example.org\r\n', 400, 'header-ambiguous'],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00', 400, 'header-ambiguous'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'header-ambiguous'],
    ['a version of the future', 'GET / HTTP/7.3\r\nHost: x\r\n\r\n', 400, 'header-ambiguous'],
    ['CONNECT', 'CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'interaction-unknown'],
    ['a header that never ends', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 408, 'too-slow'],
  ])('%s', async (_name, bytes, status, code) => {
    const { address } = await start()
    expect(await problem(address.port, bytes)).toMatchObject({ status, code })
  })

  test('a target that is too long, but readable, is refused where its form is known', async () => {
    const { address } = await start()
    const { text } = await exchangeRaw(address.port, requestText(`GET /${'x'.repeat(1_024)}`))
    expect(text).toMatch(/^HTTP\/1\.1 414 /)
    expect(text).toMatch(/code: target-too-long/)
  })

  test('a body that never ends is a 408', async () => {
    const { address } = await start({ handle: (request) => void request.resume() })
    expect(await problem(address.port, requestText('POST /', ['Content-Length: 10'], 'half'))).toMatchObject({
      status: 408,
      code: 'too-slow',
    })
  })

  test('chunks that are none are a 400', async () => {
    const { address } = await start({ handle: (request) => void request.resume() })
    const answer = await problem(address.port, requestText('POST /', ['Transfer-Encoding: chunked'], 'zz\r\n'))
    expect(answer).toMatchObject({ status: 400, code: 'body-invalid' })
  })

  test('broken bytes behind a request do not touch its answer', async () => {
    const { address } = await start({
      handle: (_request, response) => {
        response.writeHead(200, { 'content-length': '7' }).write('hand')
        setTimeout(() => response.end('led'), 20)
      },
    })
    const { text } = await exchangeRaw(
      address.port,
      `${requestText('GET /').replace('Connection: close\r\n', '')}NOISE\r\n\r\n`,
    )
    const [first, second] = text.split('handled')
    expect(first).toMatch(/^HTTP\/1\.1 200 /)
    expect(second).toMatch(/^HTTP\/1\.1 400 /)
  })
})

test('an upgrade is ignored: the request is answered as what it is', async () => {
  const { address } = await start()
  const { text } = await exchangeRaw(
    address.port,
    requestText('GET /', ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']),
  )
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
})

test('a hundred fields more than a count limit would keep are all there', async () => {
  let seen = 0
  const { address } = await start(
    {
      handle: (request, response) => {
        seen = request.rawHeaders.length / 2
        response.end()
      },
    },
    { limits: { header: 65_536, target: 1_024 } },
  )
  await exchangeRaw(
    address.port,
    requestText(
      'GET /',
      Array.from({ length: 2_500 }, (_, i) => `X-${i}: 1`),
    ),
  )
  expect(seen).toBe(2_502)
})

describe('draining', () => {
  test('running requests end, idle connections are closed, new ones are not taken', async () => {
    let finish: (() => void) | undefined
    const listener = await start({
      handle: (request, response) => {
        if (request.url === '/slow') finish = () => response.end('whole')
        else response.end('quick')
      },
    })
    const { port } = listener.address
    const keepAlive = (path: string): string => requestText(`GET ${path}`).replace('Connection: close\r\n', '')
    const idle = exchangeRaw(port, keepAlive('/quick'))
    const running = exchangeRaw(port, keepAlive('/slow'))
    await until(() => finish !== undefined)
    const closed = listener.close(10_000)
    expect(listener.draining).toBe(true)
    expect((await idle).text).toMatch(/quick$/)
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    finish?.()
    expect((await running).text).toMatch(/whole$/)
    await closed
  })

  test('an answer that begins while draining ends its connection, and says so to who has already asked for more', async () => {
    let finish: (() => void) | undefined
    const listener = await start({
      handle: (request, response) => {
        if (request.url === '/first') finish = () => response.end('first')
        else response.end('second')
      },
    })
    let text = ''
    let ended = false
    const socket = connect(listener.address.port, '127.0.0.1', () => {
      socket.write(requestText('GET /first').replace('Connection: close\r\n', ''))
    })
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    await until(() => finish !== undefined)
    const closed = listener.close(10_000)
    socket.write(requestText('GET /second').replace('Connection: close\r\n', ''))
    await new Promise((resolve) => setTimeout(resolve, 30))
    finish?.()
    socket.on('close', () => {
      ended = true
    })
    await closed
    await until(() => ended)
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*first$/i)
  })

  test('an answer that is still on its way to a slow client arrives whole', async () => {
    const body = Buffer.alloc(20_000_000, 'x')
    const listener = await start(
      { handle: (_request, response) => response.end(body) },
      { timeouts: { header: 300, idle: 60_000, request: 600 } },
    )
    let bytes = 0
    let ended = false
    const socket = connect(listener.address.port, '127.0.0.1', () =>
      socket.write(requestText('GET /').replace('Connection: close\r\n', '')),
    )
    socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = listener.close(10_000)
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    socket.on('close', () => {
      ended = true
    })
    socket.resume()
    await until(() => ended)
    expect(bytes).toBeGreaterThan(body.length)
    await closed
  })

  test('what does not end by the deadline is cut', async () => {
    const listener = await start({ handle: (_request, response) => void response.write('never ends') })
    const running = exchangeRaw(listener.address.port, requestText('GET /'))
    await new Promise((resolve) => setTimeout(resolve, 30))
    await listener.close(30)
    expect((await running).text).not.toMatch(/0\r\n\r\n$/)
  })
})

test('an address that is taken is an error', async () => {
  const { address } = await start()
  await expect(start({}, { port: address.port })).rejects.toThrow(/EADDRINUSE/)
})
