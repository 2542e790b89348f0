// `scopegate demo`: the whole product on loopback. The shipped route map is used as it is; only the addresses in its environment
// variables, the demo's token issuer among them, point to servers that are embedded here.

import { makeDemoKeys } from '../demo/demo-keys.ts'
import { type DemoUpstreams, startDemoUpstreams } from '../demo/demo-upstreams.ts'
import { printTour } from '../demo/tour.ts'
import { createLog } from '../observability/logger.ts'
import { start } from '../server/start.ts'
import { readRouteMap } from './check.ts'
import { printProblems } from './problems.ts'
import { describeOpening, stopSignal } from './serve.ts'

export interface DemoOptions {
  readonly config: string
  /** Added to every port. */
  readonly ports: number
}

const GATEWAY_PORT = 8080
const ADMIN_PORT = 9090

export async function runDemo({ config, ports }: DemoOptions): Promise<0 | 1> {
  const own = {
    LISTEN: `127.0.0.1:${GATEWAY_PORT + ports}`,
    ADMIN_LISTEN: `127.0.0.1:${ADMIN_PORT + ports}`,
    PUBLIC_URL: `http://127.0.0.1:${GATEWAY_PORT + ports}`,
  }
  const planned = readRouteMap(config, { ...process.env, ...own })
  if ('problems' in planned) return printProblems(planned)
  const audience = [...new Set(planned.settings.issuers.flatMap((issuer) => issuer.audience))]
  let upstreams: DemoUpstreams | undefined
  try {
    console.log('Starting the FHIR server, the token issuer and the stand-ins …')
    upstreams = await startDemoUpstreams({ ports, audience })
    const loaded = readRouteMap(config, { ...process.env, ...own, ...upstreams.env })
    if ('problems' in loaded) return printProblems(loaded)
    const log = createLog({ level: process.env['LOG_LEVEL'] ?? 'silent' })
    const { apiKeys, scopes } = loaded.settings
    const keys = makeDemoKeys(scopes, Math.floor(Date.now() / 1000))
    const madeHere = keys.map(({ key }) => key)
    const running = await start({ settings: loaded.settings, log, madeHere, processMetrics: true })
    const addresses = { gateway: running.url, admin: running.adminUrl, issuer: upstreams.issuer.url }
    console.log(printTour({ ...addresses, keyHeader: apiKeys?.header, keys }))
    await stopSignal()
    console.log('Stopping …')
    await running.close()
    return 0
  } catch (error) {
    console.error(`${describeOpening(error)} (--ports N adds N to every port)`)
    return 1
  } finally {
    await upstreams?.close()
  }
}
