// The gateway as a process of its own, as users start it, between an upstream of bare bytes and clients of bare bytes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startIssuer } from '../credentials/support/issuer-server.ts'
import { type Started, startCommand } from '../support/command.ts'
import { startWireUpstream, type WireUpstream } from '../support/wire-upstream.ts'
import type { Who } from './request-grammar.ts'

/** Scopes of the tokens. What they open is told a second time in `judge.ts`. */
const SCOPES: Readonly<Record<Exclude<Who, 'none'>, string>> = {
  alice: 'system/Patient.rs app.read',
  bob: 'system/Observation.cruds app.write',
  nobody: 'openid',
}

export interface LogLine {
  readonly requestId: string
  readonly route: string
  readonly method: string
  readonly outcome: string
  readonly status: number
  readonly code?: string
}

export interface Exchanged {
  readonly text: string
  /** It was over before the gateway loses its patience: on a busy machine it may not be. */
  readonly prompt: boolean
  /** Neither answered nor closed for the longest time that the limits of the map allow. */
  readonly hung: boolean
}

export interface FuzzRig {
  readonly upstream: WireUpstream
  readonly gateway: Started
  readonly lines: ReadonlyMap<string, LogLine>
  withTokens(text: string): string
  /** Sends the pieces one by one; `ends` closes our half after them. */
  exchange(pieces: readonly string[], ends: boolean): Promise<Exchanged>
  alive(): boolean
  close(): Promise<void>
}

/** Far beyond every limit of the map below. */
const HANGS_AFTER_MS = 20_000
/** Below every limit of the map below. */
const PROMPT_MS = 400

/** `patience` is how long the gateway waits for the upstream. */
export async function startFuzzRig(patience: string): Promise<FuzzRig> {
  const issuer = await startIssuer()
  const upstream = await startWireUpstream()
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-fuzz-'))
  const file = join(folder, 'routes.yaml')
  writeFileSync(file, mapOf(issuer.url, issuer.jwksUrl, upstream.url, patience))
  const gateway = startCommand(['serve', '--config', file])
  const [, port = ''] = await gateway.prints(/scopegate listens on http:\/\/127\.0\.0\.1:(\d+)/)
  const lines = readLines(gateway)
  const now = Math.floor(Date.now() / 1000)
  const tokens = new Map<string, string>()
  for (const [who, scope] of Object.entries(SCOPES)) {
    const aud = 'https://gateway.test/fhir/R4'
    const claims = { iss: issuer.url, aud, sub: who, client_id: who, iat: now, exp: now + 20_000, scope }
    tokens.set(who, await issuer.mint(claims))
  }
  return {
    upstream,
    gateway,
    lines,
    withTokens: (text) => text.replaceAll(/\{(alice|bob|nobody)\}/g, (_, who: string) => tokens.get(who)!),
    exchange: (pieces, ends) => exchange(Number(port), pieces, ends),
    alive: () => gateway.process.exitCode === null && gateway.process.signalCode === null,
    close: async () => {
      gateway.process.kill('SIGTERM')
      await gateway.ended
      await upstream.close()
      issuer.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function exchange(port: number, pieces: readonly string[], ends: boolean): Promise<Exchanged> {
  return new Promise((resolve) => {
    let text = ''
    let hung = false
    const start = performance.now()
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      const send = (at: number): void => {
        if (socket.destroyed || !socket.writable) return
        if (at < pieces.length) socket.write(Buffer.from(pieces[at]!, 'latin1'), () => setImmediate(send, at + 1))
        else if (ends) socket.end()
      }
      send(0)
    })
    const timer = setTimeout(() => {
      hung = true
      socket.destroy()
    }, HANGS_AFTER_MS)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve({ text, hung, prompt: performance.now() - start < PROMPT_MS })
    })
  })
}

/** The gateway's log, line by line, and only what tells of a request. */
function readLines({ process }: Started): ReadonlyMap<string, LogLine> {
  const lines = new Map<string, LogLine>()
  let text = ''
  process.stdout!.on('data', (chunk) => {
    text += chunk
    const whole = text.lastIndexOf('\n')
    for (const line of text.slice(0, Math.max(0, whole)).split('\n')) {
      if (!line.includes('"msg":"request"')) continue
      const read = JSON.parse(line) as LogLine
      lines.set(read.requestId, read)
    }
    text = text.slice(whole + 1)
  })
  return lines
}

function mapOf(issuer: string, jwks: string, upstream: string, patience: string): string {
  return `
version: 1
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  publicUrl: https://gateway.test
  limits: { header: 16KiB, target: 8KiB, body: 64KiB }
  timeouts: { header: 500ms, idle: 500ms, request: 1s, drain: 500ms }
issuers:
  - { name: ehr, issuer: "${issuer}", audience: ["https://gateway.test/fhir/R4"], jwks: "${jwks}" }
upstreams:
  store: { url: "${upstream}/base", timeout: ${patience}, idleTimeout: ${patience} }
  app: { url: "${upstream}", timeout: ${patience}, idleTimeout: ${patience} }
scopes:
  App:
    app.read: { description: Reads., credentials: [oauth2] }
    app.write: { description: Writes., credentials: [oauth2] }
routes:
  - { name: r4, fhir: R4, path: /fhir/R4, upstream: store, smart: true }
  - name: app
    upstream: app
    identityHeaders: { subject: X-User }
    match:
      GET /app/public/*: public
      GET /app/read/*: app.read
      POST /app/write/*: app.write
      PUT /app/write/*: app.write
      PATCH /app/write/*: app.write
      DELETE /app/write/*: app.write
`
}
