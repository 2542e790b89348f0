// `scopegate demo`: the whole product on loopback. The shipped route map is used as it is; only the addresses in its environment
// variables, the demo's token issuer among them, point to servers that are embedded here.

import type { Failed } from '../config/load.ts'
import { makeDemoKeys } from '../demo/demo-keys.ts'
import { startDemoUpstreams } from '../demo/demo-upstreams.ts'
import { printTour, type TourFacts } from '../demo/tour.ts'
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

/** What runs, and where. */
export interface Demo {
  readonly facts: TourFacts
  close(): Promise<void>
}

const GATEWAY_PORT = 8080
const ADMIN_PORT = 9090

export async function runDemo(options: DemoOptions): Promise<0 | 1> {
  try {
    const demo = await startDemo(options, console.log)
    if ('problems' in demo) return printProblems(demo)
    console.log(printTour(demo.facts))
    await stopSignal()
    console.log('Stopping …')
    await demo.close()
    return 0
  } catch (error) {
    console.error(`${describeOpening(error)} (--ports N adds N to every port)`)
    return 1
  }
}

/** Returns the problems of a route map that is not valid; throws when a port is taken. Then nothing stays open. */
export async function startDemo(
  { config, ports }: DemoOptions,
  tell: (line: string) => void = () => {},
): Promise<Demo | Failed> {
  const own = {
    LISTEN: `127.0.0.1:${GATEWAY_PORT + ports}`,
    ADMIN_LISTEN: `127.0.0.1:${ADMIN_PORT + ports}`,
    PUBLIC_URL: `http://127.0.0.1:${GATEWAY_PORT + ports}`,
  }
  const planned = readRouteMap(config, { ...process.env, ...own })
  if ('problems' in planned) return planned
  const audience = [...new Set(planned.settings.issuers.flatMap((issuer) => issuer.audience))]
  tell('Starting the FHIR server, the token issuer and the stand-ins …')
  const upstreams = await startDemoUpstreams({ ports, audience })
  try {
    const load = () => readRouteMap(config, { ...process.env, ...own, ...upstreams.env })
    const loaded = load()
    if ('problems' in loaded) {
      await upstreams.close()
      return loaded
    }
    const log = createLog({ level: process.env['LOG_LEVEL'] ?? 'silent' })
    const { apiKeys, scopes } = loaded.settings
    const keys = makeDemoKeys(scopes, Math.floor(Date.now() / 1000))
    const madeHere = keys.map(({ key }) => key)
    const running = await start({ settings: loaded.settings, load, log, madeHere, processMetrics: true })
    return {
      facts: {
        gateway: running.url,
        admin: running.adminUrl,
        issuer: upstreams.issuer.url,
        keyHeader: apiKeys?.header,
        keys,
      },
      close: async () => {
        try {
          await running.close()
        } finally {
          await upstreams.close()
        }
      },
    }
  } catch (error) {
    await upstreams.close()
    throw error
  }
}
