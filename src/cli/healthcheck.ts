// `scopegate healthcheck`: asks the admin port whether the gateway is ready, for container probes. A wildcard address is asked
// on loopback, where the probe runs.

import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { adminAddress } from '../config/admin-address.ts'
import type { Address } from '../config/schema/address.ts'
import { unreadable } from './check.ts'
import { printProblems } from './problems.ts'

const TIMEOUT_MS = 2_000

/** Exit code: 0 ready, 1 not. */
export async function runHealthcheck(config: string): Promise<0 | 1> {
  let text: string
  try {
    text = readFileSync(config, 'utf8')
  } catch (error) {
    return printProblems(unreadable(config, error))
  }
  const { listen, secure } = adminAddress(text, process.env)
  const problem = await askReadiness(listen, { secure })
  if (problem === undefined) return 0
  console.error(problem)
  return 1
}

export interface ReadinessOptions {
  /** The admin port speaks TLS. */
  readonly secure?: boolean
  /** Milliseconds. */
  readonly timeout?: number
}

/** Undefined when it is ready; otherwise why not. */
export function askReadiness(
  { host, port }: Address,
  { secure = false, timeout = TIMEOUT_MS }: ReadinessOptions = {},
): Promise<string | undefined> {
  const asked = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeout)
    // The certificate names what others call this port, not where the probe asks; nothing secret is sent, and one that has run out
    // must not have a gateway restarted that serves.
    const options = { host: asked, port, path: '/health/ready', signal, agent: false, rejectUnauthorized: false }
    const request = (secure ? getSecurely : get)(options, (response) => {
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
