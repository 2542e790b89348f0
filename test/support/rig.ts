// A whole gateway on loopback, from the text of a route map: a token issuer, an upstream, the public and the admin port, all on
// ports of their own, on a clock that the test sets, with everything that the log wrote.

import { loadRouteMap } from '../../src/config/load.ts'
import { createLog } from '../../src/observability/logger.ts'
import type { Reloaded } from '../../src/server/generations/reloader.ts'
import { type Running, start } from '../../src/server/start.ts'
import { type IssuerServer, startIssuer } from '../credentials/support/issuer-server.ts'
import { type Answer, type Ask, HttpClient } from './http-client.ts'
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts'

export const PUBLIC_URL = 'https://api.example.org'
export const BASE = `${PUBLIC_URL}/fhir/R4`

export interface Addresses {
  readonly issuer: string
  readonly jwks: string
  /** The recording upstream's, without a path. */
  readonly upstream: string
}

export interface RigOptions {
  /** The text of the route map; default: one R4 endpoint at /fhir/R4 in front of the recording upstream's /base. */
  readonly map?: (at: Addresses) => string
  readonly sealKeys?: readonly string[]
  /** Already started by the test; closed with the rig. */
  readonly issuer?: IssuerServer
}

/** Claims besides the scope; undefined takes one away. */
export type Claims = Readonly<Record<string, unknown>>

export interface RigAsk extends Ask {
  /** Asks with a token of these scopes; without `scope`, `claims` and `token`, no credential is sent. */
  readonly scope?: string
  readonly claims?: Claims
  readonly token?: string
}

export interface Rig {
  readonly port: number
  readonly adminPort: number
  readonly issuer: IssuerServer
  readonly upstream: RecordingUpstream
  /** The text of the route map. */
  readonly map: string
  readonly clock: { now: number }
  /** Everything that was logged so far. */
  log(): string
  token(scope: string, claims?: Claims): Promise<string>
  /** `line` is `METHOD target`. */
  ask(line: string, ask?: RigAsk): Promise<Answer>
  askAdmin(line: string, ask?: Ask): Promise<Answer>
  /** Another route map takes over. */
  reload(map: (at: Addresses) => string): Promise<Reloaded>
  close(): Promise<void>
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const issuer = options.issuer ?? (await startIssuer())
  const upstream = await startRecordingUpstream()
  const addresses: Addresses = { issuer: issuer.url, jwks: issuer.jwksUrl, upstream: upstream.url }
  const map = (options.map ?? fhirMap())(addresses)
  const loaded = loadRouteMap(map, { file: 'routes.yaml', env: {} })
  if ('problems' in loaded)
    throw new Error(loaded.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  const clock = { now: Date.now() }
  let written = ''
  const destination = {
    write: (text: string) => {
      written += text
    },
  }
  let inForce = map
  const running: Running = await start({
    settings: loaded.settings,
    load: () => loadRouteMap(inForce, { file: 'routes.yaml', env: {} }),
    log: createLog({ level: 'info', destination }),
    sealKeys: options.sealKeys ?? [],
    now: () => clock.now,
  })
  const client = new HttpClient(portOf(running.url))
  const admin = new HttpClient(portOf(running.adminUrl))
  const tokens = new Map<string, Promise<string>>()
  const token: Rig['token'] = (scope, claims = {}) => {
    const now = Math.floor(clock.now / 1000)
    const key = JSON.stringify([scope, Object.entries(claims), now])
    const minted =
      tokens.get(key) ?? issuer.mint(claimsOf(issuer, loaded.settings.issuers[0]!.audience, scope, now, claims))
    tokens.set(key, minted)
    return minted
  }
  return {
    port: portOf(running.url),
    adminPort: portOf(running.adminUrl),
    issuer,
    upstream,
    map,
    clock,
    log: () => written,
    token,
    ask: async (line, { scope, claims, token: given, headers = {}, ...rest } = {}) => {
      const sent = given ?? (scope === undefined && claims === undefined ? undefined : await token(scope ?? '', claims))
      const fields = Array.isArray(headers) ? (headers as readonly string[]) : Object.entries(headers).flat()
      const credential = sent === undefined ? [] : ['authorization', `Bearer ${sent}`]
      return client.ask(line, { headers: [...credential, ...fields], ...rest })
    },
    askAdmin: (line, ask) => admin.ask(line, ask),
    reload: (next) => {
      inForce = next(addresses)
      return running.reload('request')
    },
    close: async () => {
      client.close()
      admin.close()
      await running.close()
      await upstream.close()
      issuer.close()
    },
  }
}

function claimsOf(
  issuer: IssuerServer,
  audience: readonly string[],
  scope: string,
  now: number,
  claims: Claims,
): Claims {
  return {
    iss: issuer.url,
    aud: audience,
    sub: 'user-1',
    client_id: 'app-1',
    iat: now - 5,
    exp: now + 600,
    scope,
    ...claims,
  }
}

/** A route map with one R4 endpoint; `route` adds keys to it, `more` routes and whole sections; `store` is another FHIR server. */
export function fhirMap({ route = '', server = '', more = '', store = '' } = {}): (at: Addresses) => string {
  return ({ issuer, jwks, upstream }) => `
version: 1
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  publicUrl: ${PUBLIC_URL}
${indented(server, 2)}
issuers:
  - { name: ehr, issuer: "${issuer}", audience: ["${BASE}", "${PUBLIC_URL}"], jwks: "${jwks}" }
upstreams:
  store: { url: "${store || `${upstream}/base`}", timeout: 2s }
routes:
  - name: r4
    fhir: R4
    path: /fhir/R4
    upstream: store
    smart: true
${indented(route, 4)}
${more}
`
}

function indented(text: string, by: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(by))
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
