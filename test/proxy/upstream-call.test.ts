// One request at an upstream, over real sockets: what each fault becomes, and what is never left half done.

import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { askUpstream } from '../../src/proxy/ask-upstream.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'
import { OK, passThrough, startRawUpstream, startUpstream, until } from './support/pass-through.ts'

describe('times', () => {
  test('a connection that cannot be had in time is 502, long before an answer would be 504', async () => {
    // TLS that never answers: the connection counts when the handshake is over.
    const silent = await startRawUpstream(() => {})
    const gateway = await passThrough(silent.url.replace('http:', 'https:'), {
      timeout: 60_000,
      upstream: { connectTimeout: 50 },
    })
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    expect(`${answer.status} ${await answer.text()}`).toMatch(/^502 .*upstream-unreachable/)
  })

  test('an answer that stops is broken off after the idle timeout, whatever the timeout for its headers', async () => {
    const { url } = await startUpstream((_request, response) => response.write('begin'))
    const gateway = await passThrough(url, { timeout: 60_000, upstream: { idleTimeout: 100 } })
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
  })

  test('an answer in crumbs is broken off once it takes longer than the idle timeout', async () => {
    const { url } = await startUpstream((_request, response) => {
      const crumbs = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(crumbs))
    })
    const gateway = await passThrough(url, { upstream: { idleTimeout: 200, minimumRate: 1_000 } })
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    await expect(answer.text()).rejects.toThrow()
    await until(() => gateway.upstream.running === 0)
    expect(gateway.reports[0]).toMatchObject({ outcome: 'broken' })
  })

  test('server-sent events may come slowly', async () => {
    const { url } = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      let left = 30
      const events = setInterval(() => {
        if (left-- > 0) response.write(':\n')
        else response.end()
      }, 10)
      response.on('close', () => clearInterval(events))
    })
    const gateway = await passThrough(url, { upstream: { idleTimeout: 100, minimumRate: 1_000 } })
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    expect(await answer.text()).toBe(':\n'.repeat(30))
  })

  test('time in which the client does not read does not count against the server', async () => {
    const size = 8 * 1024 * 1024
    const { url } = await startUpstream((_request, response) => response.end(Buffer.alloc(size)))
    const gateway = await passThrough(url, { upstream: { idleTimeout: 400, minimumRate: 6e6 } })
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(requestText('GET /')))
    socket.on('error', () => {})
    let received = 0
    socket.pause()
    await new Promise((later) => setTimeout(later, 800))
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    socket.resume()
    await until(() => gateway.reports.length === 1)
    expect(gateway.reports[0]).toMatchObject({ outcome: 'complete', bytes: size })
    socket.destroy()
    expect(received).toBeGreaterThan(0)
  })

  test('a question of the gateway itself has an end, however slowly the answer comes', async () => {
    const { url } = await startUpstream((_request, response) => {
      const crumbs = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(crumbs))
    })
    const { upstream } = await passThrough(url, { timeout: 100, upstream: { idleTimeout: 100, minimumRate: 1 } })
    const answer = await askUpstream(upstream, { method: 'GET', path: '/' }, [], 1e6)
    expect(isRefusal(answer) && answer.code).toBe('upstream-timeout')
    expect(upstream.running).toBe(0)
    expect(upstream.targets[0]!.running).toBe(0)
  })
})

describe('connections', () => {
  test('are used again, one request at a time', async () => {
    const raw = await startRawUpstream((received, socket) => {
      if (received.endsWith('\r\n\r\n')) socket.write(OK)
    })
    const gateway = await passThrough(raw.url, { connections: 1 })
    await Promise.all(Array.from({ length: 8 }, () => exchangeRaw(gateway.port, requestText('GET /'))))
    expect(raw.connections).toHaveLength(1)
    expect(raw.connections[0]?.text.match(/GET \//g)).toHaveLength(8)
  })

  test('rest no longer than keepAlive, nor than the server says', async () => {
    const hinted = OK.replace('\r\n', '\r\nKeep-Alive: timeout=2\r\n')
    for (const [answer, keepAlive] of [
      [OK, 50],
      [hinted, 4_000],
    ] as const) {
      const raw = await startRawUpstream((_received, socket) => {
        socket.write(answer)
      })
      const gateway = await passThrough(raw.url, { upstream: { keepAlive } })
      await exchangeRaw(gateway.port, requestText('GET /'))
      await until(() => raw.connections[0]!.closed)
    }
  })

  test('a write whose idle connection dies under it is not sent again: nobody knows whether it was done', async () => {
    let dying = 0
    const raw = await startRawUpstream((received, socket) => {
      if (received.startsWith('POST') || received.includes('\r\n\r\nPOST')) {
        dying++
        socket.destroy()
      } else socket.write(OK)
    })
    const gateway = await passThrough([raw.url, raw.url], { connections: 1 })
    for (let i = 0; i < 2; i++) await fetch(`http://127.0.0.1:${gateway.port}/`)
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`, { method: 'POST', body: 'x' })
    expect(answer.status).toBe(502)
    expect(dying).toBe(1)
  })

  test('one that the upstream answers on before it has read a body from memory is closed', async () => {
    // What is left of the body would be read as the next request, and its answer taken for that of somebody else.
    const raw = await startRawUpstream((received, socket, nth) => {
      if (nth > 1) socket.write(OK)
      else if (!received.includes('smuggled')) {
        socket.pause()
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno')
      }
    })
    const { upstream } = await passThrough(raw.url, { connections: 1 })
    const { UpstreamCall } = await import('../../src/proxy/upstream-call.ts')
    const body = `${'x'.repeat(20_000_000)}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`
    const status = await new Promise<number>((resolve, reject) => {
      let got = 0
      upstream.enter()
      new UpstreamCall(
        upstream,
        { method: 'POST', path: '/', headers: [], body },
        { answered: (each) => (got = each), data() {}, end: () => resolve(got), broken: (refusal) => reject(refusal) },
      ).send()
    })
    upstream.leave()
    expect(status).toBe(413)
    raw.connections[0]!.socket.resume()
    await until(() => raw.connections[0]!.closed)
    const next = await askUpstream(upstream, { method: 'GET', path: '/next' }, [], 1_000)
    expect(next).toMatchObject({ status: 200 })
    expect(raw.connections[1]?.text).toMatch(/^GET \/next /)
  })

  test('a body from memory arrives whole, with its length, however large', async () => {
    const { url } = await startUpstream((request, response) => {
      let bytes = 0
      request.on('data', (chunk) => {
        bytes += chunk.length
      })
      request.on('end', () => response.end(`${request.headers['content-length']} ${bytes}`))
    })
    const { upstream } = await passThrough(url)
    const { UpstreamCall } = await import('../../src/proxy/upstream-call.ts')
    for (const body of ['', 'é', 'é'.repeat(65_536), Buffer.alloc(1_000_001)]) {
      const text = await new Promise<string>((resolve, reject) => {
        let got = ''
        upstream.enter()
        new UpstreamCall(
          upstream,
          { method: 'PUT', path: '/', headers: [], body },
          {
            answered() {},
            data: (chunk) => {
              got += chunk
            },
            end: () => resolve(got),
            broken: (refusal) => reject(refusal),
          },
        ).send()
      })
      upstream.leave()
      expect(text).toBe(`${Buffer.byteLength(body)} ${Buffer.byteLength(body)}`)
    }
  })
})
