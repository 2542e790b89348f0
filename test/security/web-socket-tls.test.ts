// A WebSocket over TLS on both sides: the upstream must prove who it is, whatever the environment says, by the CA and under the name
// that the route map wants; and the client's TLS connection ends as cleanly as a bare one.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, WebSocket } from 'undici'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { createLog } from '../../src/observability/logger.ts'
import { type Running, start } from '../../src/server/start.ts'
import { makeAuthority } from '../support/certificates.ts'
import { startWebSocketUpstream, type WebSocketUpstream } from '../support/web-socket-upstream.ts'

const authority = makeAuthority()
const folder = mkdtempSync(join(tmpdir(), 'scopegate-web-socket-'))
let trusted: WebSocketUpstream
let stranger: WebSocketUpstream
let agent: Agent
beforeAll(async () => {
  const own = authority.issue('upstream')
  trusted = await startWebSocketUpstream(own)
  stranger = await startWebSocketUpstream(makeAuthority('somebody').issue('upstream'))
  const { cert, key } = authority.issue('gateway')
  for (const [name, text] of Object.entries({ 'server.pem': cert, 'server.key': key, 'ca.pem': authority.cert })) {
    writeFileSync(join(folder, name), text)
  }
  agent = new Agent({ connect: { ca: authority.cert } })
})
afterAll(async () => {
  await agent.destroy()
  await Promise.all([trusted.close(), stranger.close()])
  rmSync(folder, { recursive: true, force: true })
})

let running: Running | undefined
afterEach(async () => {
  vi.unstubAllEnvs()
  await running?.close()
  running = undefined
  trusted.reset()
  stranger.reset()
})

async function open(url: string, tls = '{ ca: ca.pem }'): Promise<WebSocket> {
  const text = `version: 1
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  publicUrl: https://api.example.org
  tls: { cert: server.pem, key: server.key }
upstreams: { live: { url: "${url}", tls: ${tls} } }
routes: [{ name: live, upstream: live, webSocket: true, match: { GET /live: public } }]
`
  const loaded = loadRouteMap(text, { file: join(folder, 'routes.yaml'), env: {} })
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  running = await start({
    settings: loaded.settings,
    log: createLog({ level: 'error', destination: { write: () => {} } }),
  })
  return new WebSocket(`${running.url.replace('https', 'wss')}/live`, { dispatcher: agent })
}

const fate = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => {
    socket.addEventListener('open', () => resolve('open'))
    socket.addEventListener('error', () => resolve('refused'))
  })

test('opens, echoes and closes', async () => {
  const socket = await open(trusted.url)
  expect(await fate(socket)).toBe('open')
  const heard = new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(data)))
  socket.send('hello')
  expect(await heard).toBe('hello')
  const closed = new Promise<boolean>((resolve) =>
    socket.addEventListener('close', ({ wasClean }) => resolve(wasClean)),
  )
  socket.close()
  expect(await closed).toBe(true)
})

test('ends with the process, told so', async () => {
  const socket = await open(trusted.url)
  expect(await fate(socket)).toBe('open')
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
  await running!.close()
  running = undefined
  expect(await closed).toBe(1001)
})

test.each(['', '0'])('an upstream of another CA, NODE_TLS_REJECT_UNAUTHORIZED=%s', async (unverified) => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', unverified)
  expect(await fate(await open(stranger.url))).toBe('refused')
  expect(stranger.peers).toEqual([])
})

test('an upstream of another name', async () => {
  expect(await fate(await open(trusted.url, '{ ca: ca.pem, serverName: other.example.org }'))).toBe('refused')
  expect(trusted.peers).toEqual([])
})

test('an upstream whose CA nobody named', async () => {
  expect(await fate(await open(trusted.url, '{}'))).toBe('refused')
  expect(trusted.peers).toEqual([])
})
