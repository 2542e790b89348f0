// The demo as a process of its own, so that its time is not measured in the process of whoever asks.

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PATIENCE_MS = 60_000

export interface DemoAddresses {
  readonly gateway: string
  readonly admin: string
  readonly issuer: string
}

export function addressesOf(ports: number): DemoAddresses {
  const on = (port: number): string => `http://127.0.0.1:${port + ports}`
  return { gateway: on(8080), admin: on(9090), issuer: on(8089) }
}

/** Whether a demo runs there already. */
export function isRunning(ports: number): Promise<boolean> {
  return isReady(addressesOf(ports).admin)
}

/** Returns, when it is ready, what stops it. */
export async function startDemo(ports: number, keyFile: string): Promise<() => Promise<void>> {
  const { admin } = addressesOf(ports)
  // A process group of its own, which Ctrl-C in the terminal does not reach: k6 ends first and still finds the demo.
  const demo = spawn(process.execPath, [MAIN, 'demo', '--ports', String(ports)], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, KEYS_FILE: keyFile },
  })
  let complaints = ''
  demo.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4_000)
  })
  const stop = (): Promise<void> => stopped(demo)
  process.once('exit', () => demo.kill())
  const deadline = Date.now() + PATIENCE_MS
  while (!(await isReady(admin))) {
    if (hasEnded(demo)) throw new Error(`The demo did not start.\n${complaints.trim()}`)
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`The demo was not ready within ${PATIENCE_MS / 1000} s.\n${complaints.trim()}`)
    }
    await pause(100)
  }
  return stop
}

async function isReady(admin: string): Promise<boolean> {
  try {
    return (await fetch(`${admin}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

function stopped(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
