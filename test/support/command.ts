// The command line as its users start it: a process of its own, with what it printed and how it ended.

import { type ChildProcess, spawn } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { resolve } from 'node:path'

export const CHECKOUT = resolve(import.meta.dirname, '../..')
const MAIN = resolve(CHECKOUT, 'src/main.ts')
/** Half of a start is compiling, which is the same every time. */
const CACHE = resolve(CHECKOUT, 'node_modules/.cache/scopegate-tests')

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Started {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** Everything printed so far, both streams. */
  printed(): string
  /** The first match in what is printed; rejects when the process ends without it. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
}

const started = new Set<ChildProcess>()

export function startCommand(words: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: CHECKOUT,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.add(child)
  let out = ''
  let err = ''
  let wake: () => void = () => {}
  child.stdout.on('data', (chunk) => {
    out += chunk
    wake()
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
    wake()
  })
  const ended = new Promise<Ended>((end) => {
    child.on('close', (code) => {
      started.delete(child)
      end({ code, out, err })
      wake()
    })
  })
  return {
    process: child,
    ended,
    printed: () => out + err,
    prints: (pattern) =>
      new Promise((found, missed) => {
        const look = (): void => {
          const match = pattern.exec(out + err)
          if (match !== null) found(match)
          else if (!started.has(child)) missed(new Error(`ended without ${pattern}:\n${out}${err}`))
        }
        wake = look
        look()
      }),
  }
}

export function runCommand(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> {
  return startCommand(words, env).ended
}

/** For `afterAll`: whatever a failed test left running. */
export function endCommands(): void {
  for (const child of started) child.kill('SIGKILL')
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenAnywhere()))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

function listenAnywhere() {
  const server = createServer()
  return new Promise<typeof server>((listening) => server.listen(0, '127.0.0.1', () => listening(server)))
}

/** Whether somebody takes connections on this port of the loopback. */
export function isOpen(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      tell(true)
    })
    socket.on('error', () => tell(false))
  })
}
