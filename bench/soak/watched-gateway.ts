// The gateway of a soak: started as an operator starts it, and looked into from outside. What its heap holds after a collection is told
// by the inspector, its sockets by the operating system. Of several processes all are looked into, and summed up.

import { spawn } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface Sample {
  /** Bytes that are reachable: after a full collection. */
  readonly heap: number
  readonly outside: number
  readonly resident: number
  readonly sockets: number
  /** Seconds; the worst hundredth since the start. */
  readonly loopDelay: number
  readonly generation: number
}

export interface WatchedGateway {
  /** With several workers, their primary too. */
  readonly processes: number
  readonly port: number
  readonly adminPort: number
  sample(): Promise<Sample>
  reload(): Promise<number>
  /** Resolves with the exit code. */
  stop(): Promise<number>
}

export async function startWatchedGateway(config: string, workers: number): Promise<WatchedGateway> {
  const words = ['--inspect=127.0.0.1:0', 'src/main.ts', 'serve', '--config', config]
  const child = spawn(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)))
  let said = ''
  const [port, adminPort] = await new Promise<[number, number]>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const [, publicPort, admin] = /listens on http:\S+?:(\d+), admin on http:\S+?:(\d+)/.exec(said) ?? []
      if (admin !== undefined) resolve([Number(publicPort), Number(admin)])
    })
    void ended.then((code) => reject(new Error(`the gateway ended with ${code}: ${said}`)))
  })
  const inspectors = await Promise.all(
    [...said.matchAll(/Debugger listening on (ws:\S+)/g)].map(([, url]) => openInspector(url!)),
  )
  const processes = workers === 1 ? 1 : workers + 1
  if (inspectors.length !== processes) throw new Error(`not every process can be looked into: ${said}`)
  return {
    port,
    adminPort,
    processes,
    async sample() {
      const all = await Promise.all(inspectors.map(look))
      const sum = (of: (one: Looked) => number): number => all.reduce((total, one) => total + of(one), 0)
      const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
      const metric = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1])
      return {
        heap: sum(({ heapUsed }) => heapUsed),
        outside: sum(({ external }) => external),
        resident: sum(({ rss }) => rss),
        sockets: sum(({ pid }) => socketsOf(pid)),
        loopDelay: metric('nodejs_eventloop_lag_p99_seconds'),
        generation: metric('scopegate_config_generation'),
      }
    },
    async reload() {
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`http://127.0.0.1:${adminPort}/reload`, { method: 'POST', headers, body: '{}' })).status
    },
    async stop() {
      for (const inspector of inspectors) inspector.close()
      child.kill('SIGTERM')
      return ended
    },
  }
}

type Inspector = Awaited<ReturnType<typeof openInspector>>
type Looked = NodeJS.MemoryUsage & { readonly pid: number }

async function look(inspector: Inspector): Promise<Looked> {
  await inspector.ask('HeapProfiler.collectGarbage')
  const expression = 'JSON.stringify({ ...process.memoryUsage(), pid: process.pid })'
  const { result } = (await inspector.ask('Runtime.evaluate', { expression })) as { result: { value: string } }
  return JSON.parse(result.value) as Looked
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(join(folder, fd)).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}

/** Node prints its address before the inspector is of any use to others; the protocol is JSON over a WebSocket. */
async function openInspector(url: string) {
  const socket = new WebSocket(url)
  const waiting = new Map<number, (result: unknown) => void>()
  let count = 0
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown }
    waiting.get(id)?.(result)
    waiting.delete(id)
  }
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  return {
    ask: (method: string, params: object = {}): Promise<unknown> =>
      new Promise((resolve) => {
        const id = ++count
        waiting.set(id, resolve)
        socket.send(JSON.stringify({ id, method, params }))
      }),
    close: () => socket.close(),
  }
}
