// A disk that is full, a log that nobody reads or takes, files that can no longer be read or written: the gateway goes on, and nobody is
// let in for it. As a process, because the log is its standard output.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Directory, keyFileOf, temporaryDirectory, testKey } from '../credentials/api-keys/support.ts'
import { CHECKOUT } from '../support/command.ts'
import { HttpClient, verdictOf } from '../support/http-client.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'

const NOW = Math.floor(Date.now() / 1000)
const TIMES = { created: NOW - 60, expires: NOW + 3_600 }
const reader = testKey('api-key', { ...TIMES, scopes: ['data.read'] })
const other = testKey('api-key', { ...TIMES, scopes: ['data.other'] })
const stranger = testKey('api-key', { ...TIMES, scopes: ['data.read'] })

let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
afterAll(() => upstream.close())

let directory: Directory
let child: ChildProcess
let ended: Promise<number | null>
let client: HttpClient
let admin: HttpClient
beforeEach(() => {
  directory = temporaryDirectory()
  directory.write('keys.yaml', keyFileOf([reader.key, other.key]))
  directory.write('revoked.txt', '')
  directory.write(
    'routes.yaml',
    `version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: https://api.example.org }
issuers: [{ name: ehr, issuer: https://ehr.example.org, audience: [urn:x], jwks: "http://127.0.0.1:1/jwks" }]
apiKeys: { file: keys.yaml }
revocations: { file: revoked.txt }
upstreams: { app: { url: "${upstream.url}" } }
scopes:
  Data:
    data.read: { description: Read., credentials: [api-key] }
    data.other: { description: Other., credentials: [api-key] }
routes: [{ name: app, upstream: app, match: { GET /app: data.read } }]
`,
  )
})
afterEach(() => {
  client.close()
  admin.close()
  child.kill('SIGKILL')
  upstream.reset()
  directory.remove()
})

/** `log`: where its standard output goes. */
async function serve(log: number | 'pipe' | 'ignore'): Promise<void> {
  const words = [resolve(CHECKOUT, 'src/main.ts'), 'serve', '--config', directory.path('routes.yaml')]
  child = spawn(process.execPath, words, { cwd: directory.path('.'), stdio: ['ignore', log, 'pipe'] })
  ended = new Promise((end) => child.once('exit', (code) => end(code)))
  let said = ''
  const [port, adminPort] = await new Promise<[number, number]>((listens, failed) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const [, at, adminAt] = /listens on http:\S+?:(\d+), admin on http:\S+?:(\d+)/.exec(said) ?? []
      if (adminAt !== undefined) listens([Number(at), Number(adminAt)])
    })
    void ended.then((code) => failed(new Error(`it ended with ${code}: ${said}`)))
  })
  client = new HttpClient(port)
  admin = new HttpClient(adminPort)
}

async function verdicts(): Promise<readonly string[]> {
  const ask = (secret?: string) =>
    client.ask('GET /app', { headers: secret === undefined ? {} : { 'X-API-Key': secret } })
  const answers = [await ask(reader.secret), await ask(other.secret), await ask(stranger.secret), await ask()]
  return answers.map(verdictOf)
}
const AS_EVER = ['200', '403 scope-insufficient', '401 token-invalid', '401 token-missing']

async function endsCleanly(): Promise<void> {
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
}

test('the log on a disk that is full', async () => {
  const full = openSync('/dev/full', 'w')
  await serve(full)
  closeSync(full)
  // Each request is a line, and a block is written after some of them.
  for (let i = 0; i < 30; i++) expect(await verdicts()).toEqual(AS_EVER)
  expect(upstream.arrived).toHaveLength(30)
  await endsCleanly()
})

test('the log with a reader that is gone', async () => {
  await serve('pipe')
  child.stdout!.destroy()
  for (let i = 0; i < 30; i++) expect(await verdicts()).toEqual(AS_EVER)
  await endsCleanly()
})

test('the log with a reader that stands still', async () => {
  await serve('pipe')
  // Nobody reads: beyond what the pipe and this process hold of it.
  child.stdout!.pause()
  for (let i = 0; i < 200; i++) await Promise.all([verdicts(), verdicts()])
  expect(await verdicts()).toEqual(AS_EVER)
  child.stdout!.resume()
  await endsCleanly()
})

test('key file and revocations that can be neither read nor written', async () => {
  await serve('ignore')
  expect(await verdicts()).toEqual(AS_EVER)
  for (const name of ['keys.yaml', 'revoked.txt']) {
    rmSync(directory.path(name))
    mkdirSync(directory.path(name))
  }
  const problems = async () => (await admin.ask('GET /keys')).json.problems.join()
  await expect.poll(problems, { timeout: 10_000 }).toContain('keys.yaml')
  expect(await verdicts()).toEqual(AS_EVER)
  const headers = { 'content-type': 'application/json' }
  const revoked = await admin.ask('POST /revocations', { headers, body: { iss: 'https://ehr.example.org', sub: 'u' } })
  // It counts, and is said not to be kept.
  expect(revoked.status).toBe(500)
  expect((await admin.ask('GET /revocations')).json.revocations).toHaveLength(1)
  // A reload goes on with what was read from the same files.
  const reload = await admin.ask('POST /reload', { headers, body: {} })
  expect([reload.status, await verdicts()]).toEqual([200, AS_EVER])
  await endsCleanly()
})
