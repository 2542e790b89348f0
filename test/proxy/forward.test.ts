// Forwarding over real sockets: what the upstream receives, what the client gets, and what happens when either side fails.

import { expect, test } from 'vitest'
import { refuse } from '../../src/domain/refusal.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'
import { OK, passThrough, startRawUpstream, startUpstream, until } from './support/pass-through.ts'

test('an answer that comes in one piece leaves with its own length, in one piece', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello')
  })
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(gateway.port, requestText('GET /a?b=c'))
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(text).toMatch(/content-length: 5\r\n/)
  expect(text).toMatch(/\r\n\r\nhello$/)
  expect(upstream.connections[0]?.text).toMatch(
    /^GET \/a\?b=c HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: keep-alive\r\n/,
  )
  await until(() => gateway.reports.length === 1)
  expect(gateway.reports[0]).toMatchObject({ outcome: 'complete', status: 200, bytes: 5 })
  expect(gateway.upstream.running).toBe(0)
})

test('a short chunked answer gets a length; a long one stays chunked and whole', async () => {
  const long = 'x'.repeat(300_000)
  const { url } = await startUpstream((request, response) => {
    if (request.url === '/short') {
      response.write('a')
      response.end('b')
    } else {
      response.write(long.slice(0, 1000))
      setTimeout(() => response.end(long.slice(1000)), 20)
    }
  })
  const gateway = await passThrough(url)
  const short = await fetch(`http://127.0.0.1:${gateway.port}/short`)
  expect(await short.text()).toBe('ab')
  const other = await fetch(`http://127.0.0.1:${gateway.port}/long`)
  expect(await other.text()).toBe(long)
  expect(other.headers.get('content-length')).toBeNull()
})

test('HEAD, 204 and 304 have no body and keep their fields', async () => {
  const { url } = await startUpstream((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '77', etag: 'W/"1"' }).end()
    else response.writeHead(Number(request.url?.slice(1)), { etag: 'W/"1"' }).end()
  })
  const gateway = await passThrough(url)
  const head = await exchangeRaw(gateway.port, requestText('HEAD /'))
  expect(head.text).toMatch(/content-length: 77\r\n/)
  expect(head.text).toMatch(/\r\n\r\n$/)
  for (const status of [204, 304]) {
    const { text } = await exchangeRaw(gateway.port, requestText(`GET /${status}`))
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toMatch(/etag: W\/"1"\r\n/)
    expect(text).not.toMatch(/transfer-encoding|content-length/i)
    expect(text).toMatch(/\r\n\r\n$/)
  }
})

test('an empty answer is an empty answer', async () => {
  const { url } = await startUpstream((_request, response) => response.writeHead(201).end())
  const gateway = await passThrough(url)
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/`, { method: 'POST', body: '{}' })
  expect(answer.status).toBe(201)
  expect(await answer.text()).toBe('')
})

test.each([
  ['with a length', ['Content-Length: 11'], 'hello world', /content-length: 11\r\n\r\nhello world$/],
  [
    'in chunks',
    ['Transfer-Encoding: chunked'],
    '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    /transfer-encoding: chunked\r\n\r\n/,
  ],
])('a body %s is framed once, by the gateway', async (_name, fields, body, expected) => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('hello world') || received.endsWith('0\r\n\r\n')) socket.write(OK)
  })
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(gateway.port, requestText('POST /p', fields, body))
  expect(text).toMatch(/ok$/)
  expect(upstream.connections[0]?.text).toMatch(expected)
  expect(upstream.connections[0]?.text.match(/content-length|transfer-encoding/gi)).toHaveLength(1)
})

test('informational answers are not the answer', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('\r\n\r\n')) socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}`)
  })
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(gateway.port, requestText('GET /'))
  expect(text).toMatch(/^HTTP\/1\.1 200 OK/)
  expect(text).not.toContain('103')
})

test('an upstream that cannot be reached is a 502 with its code', async () => {
  const gateway = await passThrough('http://127.0.0.1:1')
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
  expect(answer.status).toBe(502)
  expect(await answer.text()).toContain('upstream-unreachable')
  await until(() => gateway.reports.length === 1)
  expect(gateway.reports[0]).toMatchObject({ outcome: 'refused', status: 0, answerMs: undefined })
})

test('with a body in flight the refusal still reaches the client', async () => {
  const gateway = await passThrough('http://127.0.0.1:1')
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/`, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(answer.status).toBe(502)
})

test('an upstream that is silent is a 504, one that hangs up or speaks no HTTP a 502', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.startsWith('GET /hang')) socket.destroy()
    if (received.startsWith('GET /noise')) socket.write('220 smtp ready\r\n\r\n')
  })
  const gateway = await passThrough(upstream.url, { timeout: 300 })
  const codes = async (path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`)
    return `${answer.status} ${/upstream-\w+/.exec(await answer.text())?.[0]}`
  }
  expect(await codes('/silent')).toBe('504 upstream-timeout')
  expect(await codes('/hang')).toBe('502 upstream-broken')
  expect(await codes('/noise')).toBe('502 upstream-broken')
})

test.each([
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'],
])('a fault in the middle of a %s answer breaks the connection of the client', async (_name, start) => {
  const upstream = await startRawUpstream((_received, socket) => {
    socket.write(start)
    setTimeout(() => socket.destroy(), 30)
  })
  const gateway = await passThrough(upstream.url)
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
  expect(answer.status).toBe(200)
  await expect(answer.text()).rejects.toThrow()
  await until(() => gateway.reports.length === 1)
  expect(gateway.reports[0]).toMatchObject({ outcome: 'broken' })
})

test('to a client of HTTP/1.0, for whom the end of the connection is the end of the body, it is a reset', async () => {
  const upstream = await startRawUpstream((_received, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    setTimeout(() => socket.destroy(), 30)
  })
  const gateway = await passThrough(upstream.url)
  const { reset } = await exchangeRaw(gateway.port, 'GET / HTTP/1.0\r\nHost: client.test\r\n\r\n')
  expect(reset).toBe(true)
})

test('a safe request goes again, once, when the idle connection dies under it', async () => {
  let requests = 0
  const upstream = await startRawUpstream((received, socket, nth) => {
    requests++
    if (nth === 1 && received.split('GET ').length === 3) socket.destroy()
    else socket.write(OK)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  for (const expected of ['ok', 'ok']) {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    expect(await answer.text()).toBe(expected)
  }
  expect(requests).toBe(3)
})

test('a request that is not safe never goes twice', async () => {
  let requests = 0
  const upstream = await startRawUpstream((_received, socket) => {
    requests++
    if (requests === 1) socket.write(OK)
    else socket.destroy()
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  const remove = (): Promise<Response> => fetch(`http://127.0.0.1:${gateway.port}/Patient/1`, { method: 'DELETE' })
  expect((await remove()).status).toBe(200)
  expect((await remove()).status).toBe(502)
  expect(requests).toBe(2)
})

test('of two URLs the one that answers is used', async () => {
  const { url } = await startUpstream((_request, response) => response.end('here'))
  const gateway = await passThrough(['http://127.0.0.1:1', url])
  for (let i = 0; i < 4; i++) {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    expect(await answer.text()).toBe('here')
  }
})

test('a transform sees every byte, may refuse before the first one out and breaks the connection after it', async () => {
  const { url } = await startUpstream((request, response) => {
    response.write(request.url === '/late' ? 'fine' : 'bad')
    setTimeout(() => response.end('bad'), 20)
  })
  const gateway = await passThrough(url, {
    transform: () => ({
      write(chunk, out) {
        if (chunk.toString() === 'bad') return refuse('upstream-broken', 'no')
        out.write(Buffer.from(chunk.toString().toUpperCase()))
        return undefined
      },
      end: () => undefined,
    }),
  })
  expect((await fetch(`http://127.0.0.1:${gateway.port}/early`)).status).toBe(502)
  const late = await fetch(`http://127.0.0.1:${gateway.port}/late`)
  expect(late.status).toBe(200)
  await expect(late.text()).rejects.toThrow()
})

test('a transform may end later, and what it adds is counted', async () => {
  const { url } = await startUpstream((_request, response) => response.end('abc'))
  const gateway = await passThrough(url, {
    transform: () => ({
      write: () => undefined,
      async end(out) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        out.write(Buffer.from('later'))
        return undefined
      },
    }),
  })
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
  expect(await answer.text()).toBe('later')
  expect(answer.headers.get('x-intermediary')).toBe('scopegate')
})

test('more requests than may wait are shed', async () => {
  const { url } = await startUpstream((_request, response) => setTimeout(() => response.end('x'), 50))
  const gateway = await passThrough(url, { connections: 1 })
  const statuses = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${gateway.port}/`).then(({ status }) => status)),
  )
  expect(statuses.filter((status) => status === 503)).toHaveLength(4)
  expect(statuses.filter((status) => status === 200)).toHaveLength(16)
})

test('a client that stops reading is let go after the stall timeout', async () => {
  const { url } = await startUpstream((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      response.once('drain', more)
    }
    more()
  })
  const gateway = await passThrough(url, { stallTimeout: 100 })
  const { connect } = await import('node:net')
  const socket = connect(gateway.port, '127.0.0.1', () => socket.write(requestText('GET /')))
  socket.pause()
  socket.on('error', () => {})
  await until(() => gateway.reports.length === 1)
  expect(gateway.reports[0]).toMatchObject({ outcome: 'client-aborted' })
  socket.destroy()
})
