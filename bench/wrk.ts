// wrk, the load generator (Debian package `wrk`): one thread, keep-alive connections, closed loop. Every answer that is not a 2xx,
// and every socket error, counts as an error.

import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'

export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Load {
  readonly requests: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p99: number
  readonly errors: number
}

const run = promisify(execFile)

export function findWrk(): void {
  if (spawnSync('wrk', ['--version']).error === undefined) return
  console.error('wrk IS MISSING: nothing was measured. Install it: apt-get install -y wrk')
  process.exit(1)
}

export async function load(target: Target, options: { seconds: number; connections: number }): Promise<Load> {
  const fields = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { stdout } = await run('wrk', [
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    '--latency',
    ...fields,
    target.url,
  ])
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout) ?? []
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p99: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    errors:
      number(/Non-2xx or 3xx responses: (\d+)/) + socketErrors.slice(1).reduce((sum, count) => sum + Number(count), 0),
  }
}

function milliseconds(found: RegExpExecArray | null): number {
  const factor = found?.[2] === 'us' ? 0.001 : found?.[2] === 's' ? 1000 : 1
  return Number(found?.[1] ?? 0) * factor
}
