// Several servers behind one name, over real sockets: who gets a request, who is left out, who comes back, who waits.

import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import type { Target } from '../../src/proxy/target.ts'
import { type TargetNews, Upstream } from '../../src/proxy/upstream.ts'
import { OK, passThrough, startRawUpstream, startUpstream, until } from './support/pass-through.ts'
import { upstreamOptions } from './support/upstream-options.ts'

const AWAY = 'http://127.0.0.1:1'
const ejection = { faults: 2, time: 10_000, longest: 60_000, slowStart: 1_000 }

const closing: Upstream[] = []
afterEach(async () => {
  for (const upstream of closing.splice(0)) await upstream.close()
})

interface Rehearsal {
  readonly upstream: Upstream
  readonly clock: { now: number }
  readonly news: TargetNews[]
  /** The number of the server that is taken, from 1; 0 where it would have to wait, -1 where it is refused. */
  take(holder?: object): number
  end(target: number, outcome: 'answered' | 'fault' | 'unreachable' | 'untold', holder?: object): void
}

/** Nothing is sent: takes and ends only. */
function rehearse(count: number, options = {}): Rehearsal {
  const clock = { now: 1_000 }
  const news: TargetNews[] = []
  const url = Array.from({ length: count }, (_, index) => `http://127.0.0.1:${index + 1}`)
  const upstream = new Upstream(upstreamOptions({ url, ejection, ...options }), {
    now: () => clock.now,
    onTarget: (each) => news.push(each),
  })
  closing.push(upstream)
  return {
    upstream,
    clock,
    news,
    take(holder = {}) {
      const taken = upstream.take(holder)
      return taken === undefined ? 0 : isRefusal(taken) ? -1 : upstream.targets.indexOf(taken) + 1
    },
    end(target, outcome, holder = {}) {
      upstream.tell(upstream.targets[target - 1]!, holder, outcome)
      upstream.release(upstream.targets[target - 1]!, holder)
    },
  }
}

/** So many requests that go to no other server and end so. */
function fail(r: Rehearsal, target: number, times = 2, outcome: 'fault' | 'unreachable' = 'fault'): void {
  for (let i = 0; i < times; i++) {
    r.upstream.targets[target - 1]!.running++
    r.end(target, outcome)
  }
}

describe('who gets a request', () => {
  test('equally busy ones take turns', () => {
    const r = rehearse(3)
    expect([1, 2, 3, 4, 5, 6].map(() => r.take())).toEqual([1, 2, 3, 1, 2, 3])
  })

  test('the one with the fewest running', () => {
    const r = rehearse(3)
    for (let i = 0; i < 9; i++) r.take()
    for (let i = 0; i < 3; i++) r.end(2, 'answered')
    expect([r.take(), r.take(), r.take()]).toEqual([2, 2, 2])
  })

  test('never one whose connections are all in use; when all are, it waits', () => {
    const r = rehearse(2, { connections: 2 })
    expect([r.take(), r.take(), r.take(), r.take(), r.take()]).toEqual([1, 2, 1, 2, 0])
    r.end(1, 'answered')
    expect(r.take()).toBe(1)
  })

  test('no other than the only one', () => {
    const r = rehearse(1, { connections: 2 })
    expect([r.take(), r.take(), r.take()]).toEqual([1, 1, 0])
  })
})

describe('who is left out', () => {
  test('whose requests fail in a row, and it is told', () => {
    const r = rehearse(2)
    fail(r, 1)
    expect([r.take(), r.take(), r.take()]).toEqual([2, 2, 2])
    expect(r.news).toEqual([{ upstream: 'up', target: 1, of: 2, was: 'available', state: 'ejected' }])
    expect(r.upstream.count('ejected')).toBe(1)
  })

  test('never more than half', () => {
    const r = rehearse(5)
    for (const target of [1, 2, 3, 4]) fail(r, target, 20)
    expect(r.upstream.count('ejected')).toBe(2)
    expect(new Set(Array.from({ length: 24 }, () => r.take()))).toEqual(new Set([3, 4, 5]))
  })

  test('never the only one', () => {
    const r = rehearse(1)
    fail(r, 1, 100)
    expect(r.take()).toBe(1)
  })

  test('comes back by one request, and gets few at first', () => {
    const r = rehearse(2, { connections: 100 })
    fail(r, 1)
    r.clock.now += 10_000
    const holder = {}
    expect(r.take(holder)).toBe(1)
    expect([r.take(), r.take()]).toEqual([2, 2])
    r.end(1, 'answered', holder)
    expect(r.news.at(-1)).toMatchObject({ target: 1, was: 'ejected', state: 'available' })
    // It counts a tenth: nine more at the other one before it gets the next.
    const next = Array.from({ length: 12 }, () => r.take())
    expect(next.indexOf(1)).toBeGreaterThan(5)
    r.clock.now += 1_000
    for (let i = 0; i < 12; i++) r.take()
    expect(Math.abs(r.upstream.targets[0]!.running - r.upstream.targets[1]!.running)).toBeLessThanOrEqual(1)
  })

  test('is slow for a time, not for a number of requests; and has them all where no other is worth asking', () => {
    const r = rehearse(2)
    fail(r, 1)
    r.clock.now += 10_000
    const holder = {}
    expect(r.take(holder)).toBe(1)
    r.end(1, 'answered', holder)
    // One after the other.
    const next = (): number => {
      const target = r.take()
      r.end(target, 'answered')
      return target
    }
    expect([next(), next(), next()]).toEqual([2, 2, 2])
    const other = r.upstream.targets[1]!.outlier
    other.check(false, r.clock.now)
    expect([next(), next(), next()]).toEqual([1, 1, 1])
    other.check(true, r.clock.now)
    r.clock.now += 1_000
    expect([next(), next(), next(), next()].sort()).toEqual([1, 1, 2, 2])
  })

  test('the half that may be left out counts those whose checks fail', () => {
    const r = rehearse(4)
    const [first, second] = r.upstream.targets as [Target, Target]
    first.outlier.check(false, 1)
    second.outlier.check(false, 1)
    fail(r, 3)
    expect(r.upstream.count('ejected')).toBe(0)
  })

  test('when none is left, they are tried all the same', () => {
    const r = rehearse(2)
    for (const { outlier } of r.upstream.targets) outlier.check(false, 1)
    expect([r.take(), r.take(), r.take()]).toEqual([1, 2, 1])
  })

  test('but to whom no connection can be made, one request a second', () => {
    const r = rehearse(1)
    fail(r, 1, 2, 'unreachable')
    expect(r.take()).toBe(-1)
    r.clock.now += 1_000
    expect([r.take(), r.take()]).toEqual([1, -1])
    expect(r.upstream.count('unreachable')).toBe(1)
  })
})

describe('over sockets', () => {
  const ask = async (port: number, method = 'GET', body?: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method, ...(body !== undefined && { body }) })
    return `${answer.status} ${await answer.text()}`
  }

  test.each([
    ['GET', undefined],
    ['POST', 'x'.repeat(300)],
    ['PUT', 'x'.repeat(300_000)],
    ['DELETE', undefined],
  ])('what was never sent goes to another server: %s', async (method, body) => {
    const bodies: string[] = []
    const { url } = await startUpstream((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        bodies.push(text)
        response.end('here')
      })
    })
    const gateway = await passThrough([AWAY, url])
    for (let i = 0; i < 6; i++) expect(await ask(gateway.port, method, body)).toBe('200 here')
    expect(bodies).toEqual(Array.from({ length: 6 }, () => body ?? ''))
  })

  test('what was sent to a server that breaks off does not go to another, unless it is safe', async () => {
    let requests = 0
    const broken = await startRawUpstream((_received, socket) => {
      requests++
      socket.destroy()
    })
    const { url } = await startUpstream((_request, response) => response.end('here'))
    const gateway = await passThrough([broken.url, url])
    expect(await ask(gateway.port, 'POST', 'x')).toMatch(/^502 .*upstream-broken/)
    expect(requests).toBe(1)
  })

  test('a server that answers 503 is left out; the answer of the other one comes', async () => {
    const sick = await startUpstream((_request, response) => response.writeHead(503).end('sick'))
    const { url } = await startUpstream((_request, response) => response.end('here'))
    const gateway = await passThrough([sick.url, url], { upstream: { ejection } })
    const answers: string[] = []
    for (let i = 0; i < 10; i++) answers.push(await ask(gateway.port))
    expect(answers.filter((answer) => answer === '503 sick')).toHaveLength(2)
    expect(answers.slice(4)).toEqual(Array.from({ length: 6 }, () => '200 here'))
  })

  test('500 and 501 are answers of the server itself: a client that asks for the impossible ejects nobody', async () => {
    const { url } = await startUpstream((_request, response) => response.writeHead(500).end('oops'))
    const gateway = await passThrough([url, url], { upstream: { ejection } })
    for (let i = 0; i < 8; i++) expect(await ask(gateway.port)).toBe('500 oops')
    expect(gateway.upstream.count('available')).toBe(2)
  })

  test('clients that leave eject nobody, and leave no connection in use', async () => {
    const { url } = await startUpstream((request) => request.resume())
    const gateway = await passThrough([url, url], { upstream: { ejection } })
    for (let i = 0; i < 8; i++) {
      const leaving = new AbortController()
      const asked = fetch(`http://127.0.0.1:${gateway.port}/`, { signal: leaving.signal })
      await until(() => gateway.upstream.running > 0)
      leaving.abort()
      await expect(asked).rejects.toThrow()
      await until(() => gateway.upstream.running === 0)
    }
    expect(gateway.upstream.count('available')).toBe(2)
    expect(gateway.upstream.targets.map(({ running }) => running)).toEqual([0, 0])
  })

  test('a lone server that cannot be reached is asked once a second; then it is back at once', async () => {
    const gateway = await passThrough(AWAY, { upstream: { ejection } })
    for (let i = 0; i < 4; i++) expect(await ask(gateway.port)).toMatch(/^502 .*upstream-unreachable/)
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`)
    expect(answer.status).toBe(502)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(gateway.upstream.count('unreachable')).toBe(1)
  })
})

describe('who waits', () => {
  test('is served in the order of arrival, one request on a connection at a time', async () => {
    const order: string[] = []
    const answers: (() => void)[] = []
    const { url } = await startUpstream((request, response) => {
      order.push(request.url!)
      answers.push(() => response.end('x'))
    })
    const gateway = await passThrough(url, { connections: 1 })
    const asked: Promise<Response>[] = []
    for (let i = 0; i < 5; i++) {
      asked.push(fetch(`http://127.0.0.1:${gateway.port}/${i}`))
      await until(() => gateway.upstream.running === i + 1)
    }
    expect(gateway.upstream.waiting).toBe(4)
    for (let i = 0; i < 5; i++) {
      await until(() => answers.length === i + 1)
      expect(order).toHaveLength(i + 1)
      answers[i]!()
    }
    await Promise.all(asked)
    expect(order).toEqual(['/0', '/1', '/2', '/3', '/4'])
  })

  test('too long gets 503 overloaded with Retry-After; the connection goes on', async () => {
    const { url } = await startUpstream((_request, response) => setTimeout(() => response.end('x'), 300))
    const gateway = await passThrough(url, { connections: 1, upstream: { queue: { perConnection: 15, timeout: 50 } } })
    const answers = await Promise.all([1, 2, 3].map(() => fetch(`http://127.0.0.1:${gateway.port}/`)))
    const shed = answers.filter(({ status }) => status === 503)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(shed).toHaveLength(2)
    for (const each of shed) {
      expect(each.headers.get('retry-after')).toBe('1')
      expect(await each.text()).toContain('overloaded')
    }
    await until(() => gateway.upstream.running === 0)
    expect(gateway.upstream.waiting).toBe(0)
  })

  test('and leaves, costs no connection', async () => {
    let answer = (): unknown => undefined
    const raw = await startRawUpstream((_received, socket) => {
      answer = () => socket.write(OK)
    })
    const gateway = await passThrough(raw.url, { connections: 1 })
    const first = fetch(`http://127.0.0.1:${gateway.port}/`)
    await until(() => gateway.upstream.running === 1)
    for (let i = 0; i < 5; i++) {
      const leaving = new AbortController()
      const asked = fetch(`http://127.0.0.1:${gateway.port}/`, { signal: leaving.signal })
      await until(() => gateway.upstream.waiting === 1)
      leaving.abort()
      await expect(asked).rejects.toThrow()
      await until(() => gateway.upstream.waiting === 0)
    }
    await until(() => raw.connections.length === 1)
    answer()
    expect((await first).status).toBe(200)
    const next = fetch(`http://127.0.0.1:${gateway.port}/`)
    await until(() => raw.connections[0]!.text.split('GET ').length === 3)
    answer()
    expect((await next).status).toBe(200)
    expect(raw.connections).toHaveLength(1)
  })

  test('when the gateway shuts down, is refused', async () => {
    const { url } = await startUpstream(() => {})
    const gateway = await passThrough(url, { connections: 1 })
    const asked = [1, 2].map(() => fetch(`http://127.0.0.1:${gateway.port}/`))
    await until(() => gateway.upstream.waiting === 1)
    const closed = gateway.upstream.close(20)
    expect((await Promise.all(asked)).map(({ status }) => status).sort()).toEqual([502, 503])
    await closed
    await wait(0)
    expect(gateway.upstream.running).toBe(0)
  })
})
