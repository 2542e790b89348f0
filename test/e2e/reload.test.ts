// The route map is reloaded while requests are served: whole or not at all, without one that fails. RELOADS=1000 for the long run.

import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { createLog } from '../../src/observability/logger.ts'
import { startServing } from '../../src/server/generations/serving.ts'
import { type Running, start } from '../../src/server/start.ts'
import { HttpClient } from '../support/http-client.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'
import { startLoad } from '../support/steady-load.ts'

const RELOADS = Number(process.env['RELOADS'] ?? 100)

/** The machine may be busy with other tests. */
const LONG = { timeout: 10_000 }

vi.setConfig({ testTimeout: 30_000 + RELOADS * 100 })

let upstream: RecordingUpstream
let text = ''
let logged = ''
let running: Running
let client: HttpClient
let admin: HttpClient

beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
afterAll(() => upstream.close())

beforeEach(async () => {
  upstream.reset()
  logged = ''
  text = mapOf('GET /a: public')
  const load = () => loadRouteMap(text, { file: 'routes.yaml', env: {} })
  const loaded = load()
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  const write = (line: string): void => {
    logged += line
  }
  const log = createLog({ destination: { write } })
  running = await start({ settings: loaded.settings, load, log })
  client = new HttpClient(portOf(running.url))
  admin = new HttpClient(portOf(running.adminUrl))
})
afterEach(async () => {
  client.close()
  admin.close()
  await running.close()
})

function mapOf(lines: string, { timeout = '5s', server = '' } = {}): string {
  return `version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: https://api.example.org, ${server} }
upstreams: { app: { url: "${upstream.url}", timeout: ${timeout} } }
routes:
  - name: app
    upstream: app
    match: { ${lines} }
`
}

function settingsOf(map: string) {
  const loaded = loadRouteMap(map, { file: 'routes.yaml', env: {} })
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  return loaded.settings
}

const portOf = (url: string): number => Number(new URL(url).port)
const reload = () => admin.ask('POST /reload', { body: {}, headers: { 'content-type': 'application/json' } })
const statusOf = async (line: string) => (await client.ask(line)).status
const ready = async () => (await admin.ask('GET /health/ready')).json
const metric = async (name: string) =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await admin.ask('GET /metrics')).text)?.[1])

describe('a route map that is good', () => {
  test('counts from the answer on, for new requests on old connections', async () => {
    expect([await statusOf('GET /a'), await statusOf('GET /b')]).toEqual([200, 404])
    text = mapOf('GET /b: public')
    const answer = await reload()
    expect([answer.status, answer.json]).toEqual([200, { status: 'applied', generation: 2 }])
    expect([await statusOf('GET /a'), await statusOf('GET /b')]).toEqual([404, 200])
    expect(await ready()).toEqual({ status: 'ready', generation: 2 })
    expect(await metric('scopegate_config_generation')).toBe(2)
    expect(logged).toContain('"cause":"request","generation":2,"msg":"the route map was reloaded"')
  })

  test('a request that began before it ends on the map that it began with', async () => {
    const arrived = Promise.withResolvers<() => void>()
    upstream.raw = (_, response) => {
      response.write('first, ')
      arrived.resolve(() => response.end('last'))
    }
    const slow = client.ask('GET /a')
    const finish = await arrived.promise
    // Its upstream, too, is gone from the new map: another timeout is another upstream.
    text = mapOf('GET /b: public', { timeout: '4s' })
    expect((await running.reload('signal')).problems).toEqual([])
    expect(await new HttpClient(portOf(running.url)).ask('GET /a')).toMatchObject({ status: 404 })
    finish()
    expect(await slow).toMatchObject({ status: 200, text: 'first, last' })
  })

  test('who asks while one runs gets the next one; they come one at a time', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => reload()))
    const generations = all.map(({ json }) => json.generation)
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    expect(generations[0]).toBe(2)
    for (const generation of generations.slice(1)) expect(generation).toBeGreaterThanOrEqual(3)
    expect((await ready()).generation).toBe(Math.max(...generations))
  })
})

test('what was replaced is closed when its last request is over, however that ended', async () => {
  text = mapOf('GET /a: public')
  const write = (): void => {}
  const settings = settingsOf(text)
  const serving = await startServing({ settings, log: createLog({ destination: { write } }) })
  const { generations, lasting } = serving
  const parts = lasting.keeper.size
  const port = portOf(serving.url)
  const arrived: (() => void)[] = []
  upstream.raw = (_, response) => {
    response.write('begun')
    arrived.push(() => response.end())
  }
  const asked = [new HttpClient(port), new HttpClient(port), new HttpClient(port)]
  const endings = asked.map((one) => one.ask('GET /a').catch(() => 'broken'))
  await expect.poll(() => arrived.length, LONG).toBe(3)
  await asked[0]!.ask('GET /nowhere')
  await asked[1]!.ask(`GET /${'a'.repeat(9_000)}`)
  generations.apply(await generations.prepare(settingsOf(mapOf('GET /a: public', { timeout: '4s' }))))
  expect(generations.retiring).toBe(1)
  expect(lasting.keeper.size).toBeGreaterThan(parts)
  // Two end, one is left by its client.
  asked[1]!.close()
  for (const finish of arrived) finish()
  await Promise.all(endings)
  await expect.poll(() => [generations.retiring, lasting.keeper.size], LONG).toEqual([0, parts])
  for (const one of asked) one.close()
  await serving.close()
  expect(lasting.keeper.size).toBe(0)
})

test('a reload that waits for a disk does not hold up the end, and counts for nothing when it comes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-reload-'))
  // Whoever reads it waits until somebody writes.
  const stalled = join(folder, 'jwks.json')
  execFileSync('mkfifo', [stalled])
  const map = mapOf('GET /a: public', { server: 'timeouts: { drain: 100ms }' })
  const issuers = `issuers: [{ name: x, issuer: "https://x.test", audience: ["urn:x"], jwksFile: ${stalled} }]\n`
  const write = (line: string): void => {
    logged += line
  }
  const load = () => loadRouteMap(map + issuers, { file: 'routes.yaml', env: {} })
  const other = await start({ settings: settingsOf(map), load, log: createLog({ destination: { write } }) })
  const reloading = other.reload('signal')
  await other.close()
  expect(logged).not.toContain('was not reloaded')
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  writeFileSync(stalled, JSON.stringify({ keys: [{ ...key, kid: 'k', alg: 'ES256', use: 'sig' }] }))
  expect((await reloading).problems).toEqual(['the gateway is ending'])
  expect(logged).toContain('was not reloaded')
  rmSync(folder, { recursive: true })
})

describe('a route map that is not', () => {
  const kept = async (place: RegExp) => {
    const answer = await reload()
    expect([answer.status, answer.json.status, answer.json.generation]).toEqual([422, 'kept', 1])
    expect(answer.json.problems.join('\n')).toMatch(place)
    expect([await statusOf('GET /a'), (await ready()).generation]).toEqual([200, 1])
    expect(await metric('scopegate_config_last_reload_successful')).toBe(0)
    expect(logged).toContain('the route map was not reloaded')
  }

  test('is no route map', async () => {
    text = 'version: 1\nroutes: nonsense\n'
    await kept(/routes\.yaml:2:9: /)
  })

  test('names an upstream that is not there', async () => {
    text = mapOf('GET /b: public').replace('upstream: app', 'upstream: nobody')
    await kept(/routes\.yaml:6:15: .*nobody/)
  })

  test('names a key set that cannot be read', async () => {
    text = `${mapOf('GET /b: public')}issuers: [{ name: x, issuer: "https://x.test", audience: ["urn:x"], jwksFile: /nowhere/jwks.json }]\n`
    await kept(/routes\.yaml:8:\d+: the key set in \/nowhere\/jwks\.json cannot be used/)
  })

  test.each([
    ['server.listen', (map: string) => map.replace('listen: 127.0.0.1:0', 'listen: 127.0.0.1:9')],
    ['server.admin', (map: string) => map.replace('admin: 127.0.0.1:0', 'admin: 127.0.0.1:9')],
    ['server.workers', (map: string) => map.replace('api.example.org,', 'api.example.org, workers: 2')],
    ['server.timeouts.idle', (map: string) => map.replace('org,', 'org, timeouts: { idle: 9s }')],
  ])('%s needs a restart, and that is said', async (key, change) => {
    text = change(mapOf('GET /b: public'))
    await kept(new RegExp(`routes\\.yaml:2:\\d+: "${key}" cannot change while the gateway runs: restart it`))
  })

  test('and the next good one counts', async () => {
    text = 'nonsense'
    await reload()
    text = mapOf('GET /b: public')
    expect((await reload()).json).toEqual({ status: 'applied', generation: 2 })
    expect([await statusOf('GET /b'), await metric('scopegate_config_last_reload_successful')]).toEqual([200, 1])
  })
})

test(`${RELOADS} reloads under load: not one request fails, and none finds half a map`, async () => {
  const load = startLoad({ port: portOf(running.url), clients: 8, ask: (it) => it.ask('GET /a') })
  for (let count = 0; count < RELOADS; count++) {
    // Every third is broken and changes nothing; every fourth brings another upstream; the route is in all that are good.
    text =
      count % 3 === 2 ? 'broken' : mapOf(`GET /a: public, GET /n${count}: public`, { timeout: `${5 + (count % 4)}s` })
    const { problems } = await running.reload('file')
    expect(problems.length > 0, problems.join()).toBe(count % 3 === 2)
    if (problems.length === 0) expect(await statusOf(`GET /n${count}`)).toBe(200)
    await load.more(5)
  }
  await load.stop()
  console.log(`${RELOADS} reloads, ${load.answers} requests, ${load.broken.length} broken`)
  expect(load.broken).toEqual([])
  expect([...load.statuses.keys()]).toEqual([200])
})
