// Everything behind and beside the gateway of the demo: the FHIR store under its bases, the token issuer, a stand-in for
// each other product. Returns the environment variables that a route map names them by.

import { readDemoData } from './demo-data.ts'
import { type FhirServer, startFhirServer } from './fhir/fhir-server.ts'
import { createFhirStore } from './fhir/fhir-store.ts'
import { startIssuer, type TokenIssuer } from './issuer.ts'
import { startStandIn } from './stand-in.ts'

export interface DemoUpstreamOptions {
  /** Added to every port. */
  readonly ports?: number
  /** Every audience of the route map. */
  readonly audience: readonly string[]
}

export interface DemoUpstreams {
  readonly env: Readonly<Record<string, string>>
  readonly fhir: FhirServer
  readonly issuer: TokenIssuer
  close(): Promise<void>
}

export const ISSUER_PORT = 8089
const NEXUS_PORT = 8100
const PRIME_FHIR_PORT = 8101

/** Environment variable, product, port. */
const STAND_INS = [
  ['PRIME_URL', 'Prime Wearables', 8102],
  ['HORIZON_URL', 'Horizon Analytics', 8103],
  ['TEFCA_URL', 'TEFCA Gateway', 8104],
  ['VELOCITY_URL', 'Velocity RCM', 8105],
  ['BEACON_URL', 'Beacon Ingest', 8106],
  ['IDENTITY_URL', 'Identity & GPID', 8107],
  ['PLEXUS_URL', 'Plexus IAM', 8108],
  ['CMS_URL', 'CMS Ecosystem', 8109],
] as const

export async function startDemoUpstreams(options: DemoUpstreamOptions): Promise<DemoUpstreams> {
  const shift = options.ports ?? 0
  const opened: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((server) => server.close()))
  }
  const keep = <T extends { close(): Promise<void> }>(server: T): T => {
    opened.push(server)
    return server
  }
  try {
    const issuer = keep(await startIssuer({ port: ISSUER_PORT + shift, audience: options.audience }))
    const store = createFhirStore({ packed: readDemoData() })
    const fhir = keep(
      await startFhirServer({
        port: NEXUS_PORT + shift,
        basePath: '/fhir/R4',
        mounts: { '/fhir/R5': '5.0.0' },
        store,
      }),
    )
    const prime = keep(await startFhirServer({ port: PRIME_FHIR_PORT + shift, basePath: '/fhir', store }))
    const env: Record<string, string> = {
      ISSUER_URL: issuer.url,
      ISSUER_JWKS: issuer.jwksUrl,
      NEXUS_URL: fhir.url,
      NEXUS_R5_URL: fhir.url.replace(/R4$/, 'R5'),
      PRIME_FHIR_URL: prime.url,
    }
    for (const [name, product, port] of STAND_INS) {
      env[name] = keep(await startStandIn({ product, port: port + shift })).url
    }
    return { env, fhir, issuer, close }
  } catch (error) {
    await close()
    throw error
  }
}
