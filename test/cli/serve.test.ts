// `serve`, `check`, `healthcheck` and the usage, as processes: exit codes, what they print, which ports they open.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { endCommands, freePorts, isOpen, runCommand, startCommand } from '../support/command.ts'
import { HttpClient } from '../support/http-client.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-serve-'))
const LISTENS = /scopegate listens on http:\/\/127\.0\.0\.1:(\d+), admin on http:\/\/127\.0\.0\.1:(\d+)/

// Several processes, each of which loads the whole gateway.
vi.setConfig({ testTimeout: 60_000 })

let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
afterAll(async () => {
  endCommands()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

let maps = 0
function writeMap(text: string): string {
  const file = join(folder, `routes-${++maps}.yaml`)
  writeFileSync(file, text)
  return file
}

function sound(port = 0, adminPort = 0, drain = '5s'): string {
  return `version: 1
server: { listen: 127.0.0.1:${port}, admin: 127.0.0.1:${adminPort}, publicUrl: http://gateway.test, timeouts: { drain: ${drain} } }
upstreams: { app: { url: "${upstream.url}" } }
routes:
  - { name: app, upstream: app, match: { GET /app: public } }
`
}

const TEN_MISTAKES = (port: number, adminPort: number): string => `version: 2
server: { listen: 127.0.0.1:${port}, admin: 127.0.0.1:${adminPort}, tiemouts: { idle: 1s } }
issuers:
  - issuer: http://ehr.example.org
    audience: [https://api.example.org/fhir]
    jwks: https://ehr.example.org/jwks.json
    algorithms: [HS256]
upstreams:
  store: { url: ftp://inside/fhir, timeout: soon }
routes:
  - { name: a, fhir: R6, path: /fhir, upstream: store, smart: true }
  - { name: b, fhir: R4, path: /b, upstream: stroe, smart: true }
  - name: c
    upstream: store
    match: { GET /c: no.such.scope }
  - { name: d, fhir: R4, path: /b, upstream: store, grants: { x.read: "system/Patient.sr" } }
`

test('a map with ten mistakes: each is told with its place', async () => {
  const file = writeMap(TEN_MISTAKES(0, 0))
  const { code, out, err } = await runCommand(['check', '--config', file])
  expect([code, out], err).toEqual([1, ''])
  const told = err
    .trim()
    .split('\n')
    .filter((line) => line.startsWith(`${file}:`))
    .map((line) => line.slice(file.length + 1))
  for (const line of told) expect(line).toMatch(/^\d+:\d+: \S/)
  expect(new Set(told.map((line) => /^\d+:\d+/.exec(line)![0])).size, err).toBeGreaterThanOrEqual(10)
  expect(err).toMatch(/tiemouts.*timeouts/)
  expect(err).toMatch(/stroe.*store/)
})

describe('serve', () => {
  test('on a broken map it exits with 1 and opens no port', async () => {
    const [port = 0, adminPort = 0] = await freePorts(2)
    const { ended } = startCommand(['serve', '--config', writeMap(TEN_MISTAKES(port, adminPort))])
    let opened = false
    let running = true
    const watch = (async () => {
      while (running) opened ||= (await isOpen(port)) || (await isOpen(adminPort))
    })()
    const { code, out, err } = await ended
    running = false
    await watch
    expect([code, out, opened]).toEqual([1, '', false])
    expect(err).toContain('Nothing was opened.')
  })

  test('a port that is taken is said so, and the other one is closed again', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((listening) => taken.once('listening', listening))
    const { port } = taken.address() as { port: number }
    const [free = 0] = await freePorts(1)
    const serves = [sound(port, free), sound(free, port)].map((map) => runCommand(['serve', '--config', writeMap(map)]))
    for (const { code, err } of await Promise.all(serves)) {
      expect(code, err).toBe(1)
      expect(err).toContain(`127.0.0.1:${port} is in use`)
    }
    expect(await isOpen(free)).toBe(false)
    await new Promise((closed) => taken.close(closed))
  })

  test('healthy until SIGTERM; then running requests end, new ones find no door, exit code 0', async () => {
    const [free = 0, freeAdmin = 0] = await freePorts(2)
    const config = writeMap(sound(free, freeAdmin))
    const serving = startCommand(['serve', '--config', config])
    const [, port = '', adminPort = ''] = await serving.prints(LISTENS)
    expect(await runCommand(['healthcheck', '--config', config])).toEqual({ code: 0, out: '', err: '' })
    // What is in force is healthy, whatever stands in the file by now.
    const broken = writeMap(sound(free, freeAdmin).replace('upstream: app', 'upstream: gone'))
    expect(await runCommand(['healthcheck', '--config', broken])).toEqual({ code: 0, out: '', err: '' })
    const client = new HttpClient(Number(port))
    const arrived = Promise.withResolvers<() => void>()
    upstream.raw = (_, response) => arrived.resolve(() => response.end('late'))
    const running = client.ask('GET /app')
    const finish = await arrived.promise
    serving.process.kill('SIGTERM')
    await expect.poll(() => isOpen(Number(port))).toBe(false)
    finish()
    const answer = await running
    expect([answer.status, answer.text, answer.headers['connection']]).toEqual([200, 'late', 'close'])
    const { code, out } = await serving.ended
    expect(code).toBe(0)
    expect(await isOpen(Number(adminPort))).toBe(false)
    const { code: health, err } = await runCommand(['healthcheck', '--config', config])
    expect([health, err.trim()]).toEqual([1, `not ready: 127.0.0.1:${adminPort}: ECONNREFUSED`])
    // The last request's line was written out before the end.
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ route: 'app', status: 200 }])
    client.close()
    upstream.reset()
  })

  test('SIGHUP and a changed file reload; SIGTERM with grace still accepts, is not ready, and says that connections end', async () => {
    const config = writeMap(sound(0, 0).replace('drain: 5s', 'drain: 5s, grace: 1500ms'))
    const serving = startCommand(['serve', '--config', config])
    const [, port = '', adminPort = ''] = await serving.prints(LISTENS)
    const [client, admin] = [new HttpClient(Number(port)), new HttpClient(Number(adminPort))]
    const ready = async () => (await admin.ask('GET /health/ready')).json
    serving.process.kill('SIGHUP')
    await expect.poll(ready, { timeout: 5_000 }).toEqual({ status: 'ready', generation: 2 })
    writeFileSync(config, readFileSync(config, 'utf8').replace('GET /app', 'GET /other'))
    await expect.poll(ready, { timeout: 5_000 }).toEqual({ status: 'ready', generation: 3 })
    expect((await client.ask('GET /other')).headers['connection']).toBe('keep-alive')
    serving.process.kill('SIGTERM')
    await expect.poll(ready, { timeout: 5_000 }).toEqual({ status: 'draining', generation: 3 })
    const late = await client.ask('GET /other')
    expect([late.status, late.headers['connection']]).toEqual([200, 'close'])
    expect((await serving.ended).code).toBe(0)
    client.close()
    admin.close()
    upstream.reset()
  })

  test('what does not end in time is cut, exit code 0 all the same', async () => {
    const serving = startCommand(['serve', '--config', writeMap(sound(0, 0, '50ms'))])
    const [, port = ''] = await serving.prints(LISTENS)
    const arrived = Promise.withResolvers<void>()
    upstream.raw = () => arrived.resolve()
    const client = new HttpClient(Number(port))
    const cut = expect(client.ask('GET /app')).rejects.toThrow()
    await arrived.promise
    serving.process.kill('SIGINT')
    await cut
    expect((await serving.ended).code).toBe(0)
    client.close()
    upstream.reset()
  })
})

test('exit codes and usage', async () => {
  const usages: readonly (readonly [words: string[], code: number, said: RegExp])[] = [
    [[], 2, /healthcheck/],
    [['sreve'], 2, /there is no command "sreve"/],
    [['check', '--help'], 0, /validate the route map/],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    [['demo', '--ports', '60000'], 2, /--ports takes a number from 0 to 56445/],
    [['check', '--config', 'src'], 1, /src:1:1: this is a folder; name another by --config/],
    [['serve', '--confg', 'x'], 2, /--confg/],
    [['explain', 'GET'], 2, /METHOD TARGET/],
    [['explain', '--scope', 'user/Patient.r', 'GET', '/fhir/R4/Patient/1'], 0, /^permitted: forward/],
    [['explain', '--scope', 'user/Patient.s', 'get', '/fhir/R4/Patient/1'], 3, /would do +user\/Patient\.r\n/],
    [['explain', '--token-file', 'no-such-file', 'GET', '/fhir/R4/Patient/1'], 2, /--token-file no-such-file/],
    [['explain', '--issuer', 'nobody', 'GET', '/fhir/R4/Patient/1'], 2, /no issuer "nobody"/],
    [['explain', '-H', 'nonsense', 'GET', '/fhir/R4/Patient/1'], 2, /'Name: value'/],
    [['explain', '--config', 'no-such-file.yaml', 'GET', '/'], 1, /no-such-file\.yaml:1:1/],
  ]
  const ended = await Promise.all(usages.map(([words]) => runCommand(words)))
  for (const [i, [words, code, said]] of usages.entries()) {
    const printed = ended[i]!.out + ended[i]!.err
    expect([words, ended[i]!.code], printed).toEqual([words, code])
    expect(printed).toMatch(said)
    expect(printed).not.toMatch(/^\s+at .*\.ts:\d+/m)
  }
})
