// `scopegate healthcheck`: asks the admin port whether the gateway is ready, for container probes. A wildcard address is asked
// on loopback, where the probe runs.

import { get } from 'node:http'
import type { Address } from '../config/schema/address.ts'
import { readRouteMap } from './check.ts'
import { printProblems } from './problems.ts'

const TIMEOUT_MS = 2_000

/** Exit code: 0 ready, 1 not. */
export async function runHealthcheck(config: string): Promise<0 | 1> {
  const loaded = readRouteMap(config, process.env)
  if ('problems' in loaded) return printProblems(loaded)
  const problem = await askReadiness(loaded.settings.server.admin.listen)
  if (problem === undefined) return 0
  console.error(problem)
  return 1
}

/** Undefined when it is ready; otherwise why not. */
export function askReadiness({ host, port }: Address, timeout = TIMEOUT_MS): Promise<string | undefined> {
  const asked = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeout)
    const request = get({ host: asked, port, path: '/health/ready', signal, agent: false }, (response) => {
      response.resume()
      const { statusCode } = response
      resolve(statusCode === 200 ? undefined : `not ready: the admin port answered ${statusCode}`)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      const why = signal.aborted ? `no answer within ${timeout} ms` : (error.code ?? 'the connection broke')
      resolve(`not ready: ${asked}:${port}: ${why}`)
    })
  })
}
