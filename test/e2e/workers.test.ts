// Several processes behind one port, as an operator starts them: what one client sees while workers die, follow a reload, and drain.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startIssuer } from '../credentials/support/issuer-server.ts'
import { endCommands, isOpen, type Started, startCommand } from '../support/command.ts'
import { codeOf, HttpClient } from '../support/http-client.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'
import { BASE, fhirMap, PUBLIC_URL } from '../support/rig.ts'
import { startLoad } from '../support/steady-load.ts'

const LISTENS = /scopegate listens on http:\/\/127\.0\.0\.1:(\d+), admin on http:\/\/127\.0\.0\.1:(\d+)/

/** The machine may be busy with other tests. */
const LONG = { timeout: 10_000 }

vi.setConfig({ testTimeout: 90_000 })

let folder: string
let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
afterAll(async () => {
  endCommands()
  await upstream.close()
})

let map: string
let serving: Started
let port: number
let client: HttpClient
let admin: HttpClient

async function end(): Promise<void> {
  client.close()
  admin.close()
  serving.process.kill('SIGKILL')
  await serving.ended
  upstream.reset()
  rmSync(folder, { recursive: true })
}

function mapOf(lines: string): string {
  return `version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: https://api.example.org, workers: 2, timeouts: { drain: 5s } }
upstreams: { app: { url: "${upstream.url}", timeout: 20s } }
routes:
  - name: app
    upstream: app
    match: { ${lines} }
  - name: counted
    upstream: app
    match: { GET /counted: public }
    rateLimit: { requests: 5, per: 1h, by: route }
`
}

async function serve(text = mapOf('GET /a: public')): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-workers-'))
  map = join(folder, 'routes.yaml')
  writeFileSync(map, text)
  serving = startCommand(['serve', '--config', map])
  const [, publicPort, adminPort] = await serving.prints(LISTENS)
  port = Number(publicPort)
  client = new HttpClient(port)
  admin = new HttpClient(Number(adminPort))
}

/** Linux only, as the machine that tests this. */
function workers(): number[] {
  const { pid } = serving.process
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid)
}

function parentOf(pid: number): number | undefined {
  try {
    const [, state, parent] = /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    return undefined
  }
}

const ready = async () => (await admin.ask('GET /health/ready')).json
const requests = async () =>
  [...(await admin.ask('GET /metrics')).text.matchAll(/^scopegate_requests_total\{.*\} (\d+)$/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0)

describe('one after the other', () => {
  beforeAll(() => serve(), 60_000)
  afterAll(end)

  test('connections are shared out evenly; metrics, explain and health speak for all', async () => {
    expect(workers()).toHaveLength(2)
    const clients = Array.from({ length: 10 }, () => new HttpClient(port))
    const starts = new Map<string, number>()
    for (const one of clients) {
      const start = (await one.ask('GET /a')).headers['x-request-id']!.split('-')[0]!
      starts.set(start, (starts.get(start) ?? 0) + 1)
    }
    for (const one of clients) one.close()
    // A request id begins with what its process made up.
    expect([...starts.values()].sort()).toEqual([5, 5])
    expect(await requests()).toBe(10)
    const headers = { 'content-type': 'application/json' }
    const explained = await admin.ask('POST /explain', { headers, body: { method: 'GET', target: '/a' } })
    expect(explained.json).toMatchObject({ permitted: true, route: 'app' })
    expect(await ready()).toEqual({ status: 'ready', generation: 1 })
  })

  test('a rate is counted for all together', async () => {
    const statuses = new Map<number, number>()
    const clients = Array.from({ length: 4 }, () => new HttpClient(port))
    for (let count = 0; count < 12; count++) {
      const { status } = await clients[count % 4]!.ask('GET /counted')
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    for (const one of clients) one.close()
    expect([...statuses]).toEqual([
      [200, 5],
      [429, 7],
    ])
  })

  test('a reload counts in every worker or in none', async () => {
    const statuses = async (path: string) => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const one = new HttpClient(port)
          const { status } = await one.ask(`GET ${path}`)
          one.close()
          return status
        }),
      )
      return [...new Set(answers)]
    }
    writeFileSync(map, mapOf('GET /b: public'))
    await expect.poll(ready, { timeout: 20_000 }).toEqual({ status: 'ready', generation: 2 })
    expect([await statuses('/a'), await statuses('/b')]).toEqual([[404], [200]])
    writeFileSync(map, 'nonsense')
    serving.process.kill('SIGHUP')
    await serving.prints(/the route map was not reloaded/)
    expect([await statuses('/b'), await ready()]).toEqual([[200], { status: 'ready', generation: 2 }])
  })

  test('a worker that is killed under load takes its own requests along and no others, and is replaced', async () => {
    const clients = 8
    const kept = startLoad({ port, clients, ask: (it) => it.ask('GET /b') })
    // These have another connection each time, so that some are on their way to the worker when it dies: none may wait for ever.
    const askOnce = async () => {
      const one = new HttpClient(port)
      return one.ask('GET /b').finally(() => one.close())
    }
    const anew = startLoad({ port, clients, ask: askOnce })
    await kept.more(50)
    process.kill(workers()[0]!, 'SIGKILL')
    await serving.prints(/a worker took the place of another/)
    await kept.more(100)
    await Promise.all([kept.stop(), anew.stop()])
    // Each client has one request on the way at most.
    expect(kept.broken.length).toBeLessThanOrEqual(clients)
    expect(anew.broken.length).toBeLessThanOrEqual(clients)
    expect([[...kept.statuses.keys()], [...anew.statuses.keys()]]).toEqual([[200], [200]])
    expect(workers()).toHaveLength(2)
    // The one that started has what is in force, not what is in the file.
    expect(await ready()).toEqual({ status: 'ready', generation: 2 })
  })
})

describe('each from its start', () => {
  afterEach(end)

  test('a crash loop backs off, is told, and ends; the readiness is that of most workers', async () => {
    await serve()
    // Each time the youngest.
    const kill = () => process.kill(Math.max(...workers()), 'SIGKILL')
    const replaced = async (times: number) => {
      const took = () => serving.printed().split('a worker took the place of another').length - 1
      await expect.poll(took, { timeout: 20_000, interval: 20 }).toBe(times)
    }
    for (let times = 1; times <= 3; times++) {
      kill()
      await expect
        .poll(async () => (await admin.ask('GET /health/ready')).status, { interval: 5, timeout: 10_000 })
        .toBe(503)
      await replaced(times)
    }
    const waits = [...serving.printed().matchAll(/"replacedInMs":(\d+)/g)].map(([, wait]) => Number(wait))
    expect(waits).toEqual([0, 250, 500])
    expect(serving.printed()).toContain('a worker crashes again and again')
    expect(await ready()).toEqual({ status: 'ready', generation: 1 })
  })

  test('SIGTERM while a slow answer streams: it completes, all processes end, exit code 0', async () => {
    await serve()
    const arrived = Promise.withResolvers<() => void>()
    upstream.raw = (_, response) => {
      response.write('first, ')
      arrived.resolve(() => response.end('last'))
    }
    const slow = client.ask('GET /a')
    const finish = await arrived.promise
    const pids = workers()
    // As a terminal or a service manager does, to every process of the group.
    for (const pid of pids) process.kill(pid, 'SIGTERM')
    serving.process.kill('SIGTERM')
    await expect.poll(() => isOpen(port), LONG).toBe(false)
    finish()
    expect(await slow).toMatchObject({ status: 200, text: 'first, last' })
    const { code, out } = await serving.ended
    expect([code, out.includes('cut down')]).toEqual([0, false])
    for (const pid of pids) expect(parentOf(pid)).toBeUndefined()
  })

  test('a second signal ends all at once', async () => {
    await serve()
    const arrived = Promise.withResolvers<void>()
    upstream.raw = () => arrived.resolve()
    const cut = expect(client.ask('GET /a')).rejects.toThrow()
    await arrived.promise
    serving.process.kill('SIGTERM')
    await expect.poll(() => isOpen(port), LONG).toBe(false)
    serving.process.kill('SIGTERM')
    await cut
    expect((await serving.ended).code).toBe(1)
  })

  test('SIGTERM while a worker hangs in a reload: it is not waited for', async () => {
    await serve()
    const [hanging, other] = workers() as [number, number]
    process.kill(hanging, 'SIGSTOP')
    const reloading = admin.ask('POST /reload', { headers: { 'content-type': 'application/json' }, body: {} })
    const refused = reloading.catch(() => undefined)
    // The other one has what was asked of both.
    await expect.poll(async () => (await admin.ask('GET /health/ready')).status, LONG).toBe(200)
    serving.process.kill('SIGTERM')
    const { code, out, err } = await serving.ended
    await refused
    expect(code).toBe(0)
    // After half a minute it would have been found by itself.
    expect(out + err).not.toContain('a worker hangs')
    for (const pid of [hanging, other]) expect(parentOf(pid)).toBeUndefined()
  })

  test('when the primary dies, its workers go along', async () => {
    await serve()
    const pids = workers()
    serving.process.kill('SIGKILL')
    await serving.ended
    await expect.poll(() => pids.filter((pid) => parentOf(pid) !== undefined), LONG).toEqual([])
  })

  test('a page that one worker sealed, the other opens, though no seal keys were given; both hear of revocations', async () => {
    const issuer = await startIssuer()
    const at = { issuer: issuer.url, jwks: issuer.jwksUrl, upstream: upstream.url }
    await serve(fhirMap({ server: 'workers: 2' })(at))
    upstream.script = () => ({
      headers: { 'content-type': 'application/fhir+json' },
      body: {
        resourceType: 'Bundle',
        type: 'searchset',
        link: [{ relation: 'next', url: `${upstream.url}/base?_getpages=1` }],
      },
    })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: issuer.url,
      aud: BASE,
      sub: 'u',
      client_id: 'a',
      iat: now,
      exp: now + 600,
      scope: 'user/*.rs',
    }
    const headers = { authorization: `Bearer ${await issuer.mint(claims)}` }
    const first = await client.ask('GET /fhir/R4/Patient', { headers })
    const page = first.json.link[0].url.slice(PUBLIC_URL.length)
    // One connection after the other goes to one worker after the other.
    const others = [new HttpClient(port), new HttpClient(port)]
    for (const one of others) expect((await one.ask(`GET ${page}`, { headers })).status).toBe(200)
    // What is revoked at the admin port counts in both, for a token that both remember.
    const revoked = await admin.ask('POST /revocations', {
      headers: { 'content-type': 'application/json' },
      body: { iss: issuer.url, sub: 'u' },
    })
    expect(revoked.status, revoked.text).toBe(200)
    const refused = async () => {
      const answers = await Promise.all(others.map((one) => one.ask(`GET ${page}`, { headers })))
      return answers.map(codeOf)
    }
    await expect.poll(refused, LONG).toEqual(['token-revoked', 'token-revoked'])
    for (const one of others) one.close()
    issuer.close()
  })
})
