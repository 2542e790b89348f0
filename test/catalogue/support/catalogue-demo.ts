// The demo itself, in this process and on ports of its own, with a key file that holds keys which `keys create` would refuse to make,
// and a witness of every request that arrives behind the gateway: Node tells of each request that any server of the process gets.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { resolve } from 'node:path'
import { startDemo } from '../../../src/cli/demo.ts'
import { keyFileOf, type TestKey, temporaryDirectory } from '../../credentials/api-keys/support.ts'
import { CHECKOUT } from '../../support/command.ts'
import { freeShift } from '../../support/demo-ports.ts'
import { HttpClient } from '../../support/http-client.ts'
import type { Behind } from './endpoint.ts'

/** A request that reached a server behind the gateway. */
export interface Arrival {
  readonly behind: string
  readonly method: string
  readonly path: string
  /** By which the test knows its own request again. */
  readonly tag: string | undefined
}

export interface CatalogueDemo {
  readonly gateway: HttpClient
  /** Straight to the FHIR store, past the gateway. */
  readonly store: HttpClient
  readonly storeBase: string
  readonly arrivals: Arrival[]
  /** From the demo's own issuer, by `POST /token`. */
  token(form: Readonly<Record<string, string>>): Promise<string>
  close(): Promise<void>
}

/** A field that crosses to everything behind the gateway. */
export const TAG = 'x-correlation-id'

/** As the demo opens them (contract §2: stand-ins from 8100). */
const STAND_INS: Readonly<Record<number, Behind>> = {
  8102: 'Prime Wearables',
  8103: 'Horizon Analytics',
  8104: 'TEFCA Gateway',
  8105: 'Velocity RCM',
  8106: 'Beacon Ingest',
  8107: 'Identity & GPID',
  8108: 'Plexus IAM',
  8109: 'CMS Ecosystem',
}

export async function startCatalogueDemo(keys: readonly TestKey[]): Promise<CatalogueDemo> {
  const directory = temporaryDirectory()
  const shift = await freeShift()
  process.env['KEYS_FILE'] = directory.write('keys.yaml', keyFileOf(keys.map(({ key }) => key)))
  const demo = await startDemo({ config: resolve(CHECKOUT, 'routes.yaml'), ports: shift })
  if ('problems' in demo) throw new Error(demo.problems.map(({ message }) => message).join('\n'))
  const { facts } = demo

  const arrivals: Arrival[] = []
  const witness = (message: unknown): void => {
    const { request, socket } = message as { request: IncomingMessage; socket: Socket }
    const { method = '', url = '', headers } = request
    const behind = behindAt(socket.localPort! - shift, url)
    // The gateway fetches the CapabilityStatement by itself.
    if (behind === undefined || url.endsWith('/metadata')) return
    arrivals.push({ behind, method, path: url, tag: headers[TAG] as string | undefined })
  }
  subscribe('http.server.request.start', witness)

  const gateway = new HttpClient(Number(new URL(facts.gateway).port))
  const store = new HttpClient(8100 + shift)
  const issuer = new HttpClient(Number(new URL(facts.issuer).port))
  return {
    gateway,
    store,
    storeBase: '/fhir/R4',
    arrivals,
    token: async (form) => {
      const { status, json, text } = await issuer.ask('POST /token', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString(),
      })
      if (status !== 200) throw new Error(`no token: ${status} ${text}`)
      return json.access_token
    },
    close: async () => {
      unsubscribe('http.server.request.start', witness)
      for (const client of [gateway, store, issuer]) client.close()
      await demo.close()
      directory.remove()
    },
  }
}

/** Undefined for the gateway's own ports and the issuer's. */
function behindAt(port: number, url: string): Behind | undefined {
  if (port === 8100) return url.startsWith('/fhir/R5') ? 'nexus-r5' : 'nexus'
  if (port === 8101) return 'prime-fhir'
  return STAND_INS[port]
}
