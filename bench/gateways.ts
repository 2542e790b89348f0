// The gateways that are compared, each in one process of its own. scopegate is started as an operator starts it, with a route map that
// names one R4 endpoint and a key set in a file; the token is an RS256 access token of about 0.6 kB.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Target } from './wrk.ts'

export interface Gateway extends Target {
  readonly name: string
  readonly does: string
  /** Seconds of user and system time so far. */
  processorTime(): number
  /** Bytes of resident memory. */
  resident(): number
  stop(): Promise<void>
}

interface Kind {
  readonly name: string
  readonly does: string
  /** Script and arguments. */
  readonly command: (upstream: string, directory: string) => readonly string[]
}

const ROOT = join(import.meta.dirname, '..')
const ISSUER = 'https://issuer.bench.test'
const AUDIENCE = 'https://gateway.bench.test/fhir/R4'

const KINDS: readonly Kind[] = [
  {
    name: 'bare',
    does: 'forwards only, the transport of scopegate',
    command: (upstream) => ['bench/bare.ts', upstream],
  },
  {
    name: 'scopegate',
    does: 'token, scope, interaction, decision; links rewritten',
    command: (upstream, directory) => serve(upstream, directory, false),
  },
  {
    name: 'scopegate-unread',
    does: 'the same, the upstream writes the public base itself',
    command: (upstream, directory) => serve(upstream, directory, true),
  },
  {
    name: 'http-proxy-3',
    does: 'forwards only, keep-alive agent',
    command: (upstream) => ['bench/http-proxy-3.ts', upstream],
  },
]

/** One after the other, so that those which did start can be stopped when one does not. */
export function* startGateways(upstream: string, only?: readonly string[]): Generator<Promise<Gateway>> {
  const directory = mkdtempSync(join(tmpdir(), 'scopegate-bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const token = issue(directory)
  for (const kind of KINDS) {
    if (only === undefined || only.includes(kind.name))
      yield token.then((text) => startGateway(kind, upstream, directory, text))
  }
}

async function startGateway(kind: Kind, upstream: string, directory: string, token: string): Promise<Gateway> {
  const child = spawn(process.execPath, [...kind.command(upstream, directory)], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info' },
  })
  const url = await listeningOn(child, kind.name)
  return {
    name: kind.name,
    does: kind.does,
    url: `${url}/fhir/R4/Observation?patient=p1`,
    headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json', 'user-agent': 'bench' },
    processorTime: () => processorTime(child.pid!),
    resident: () => resident(child.pid!),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

function listeningOn(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /listens on (http:\S+?),/.exec(said)
      if (found !== null) resolve(found[1]!)
    })
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${said}`)))
  })
}

/** Fields 14 and 15 of /proc/PID/stat, in hundredths of a second. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function resident(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

function serve(upstream: string, directory: string, unread: boolean): readonly string[] {
  const file = join(directory, unread ? 'unread.yaml' : 'routes.yaml')
  writeFileSync(
    file,
    `version: 1
server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0", publicUrl: "https://gateway.bench.test" }
issuers: [{ name: bench, issuer: "${ISSUER}", audience: ["${AUDIENCE}"], jwksFile: jwks.json }]
upstreams: { fhir: { url: "${upstream}", publicBase: ${unread} } }
routes: [{ name: r4, fhir: R4, path: /fhir/R4, upstream: fhir, smart: true, sealPages: ${!unread} }]
`,
  )
  return ['src/main.ts', 'serve', '--config', file]
}

async function issue(directory: string): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256', use: 'sig' }
  writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
  return new SignJWT({ scope: 'system/Observation.rs system/Patient.rs', client_id: 'bench' })
    .setProtectedHeader({ alg: 'RS256', kid: 'bench', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject('bench')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
}
