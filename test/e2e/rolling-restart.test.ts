// Two instances behind a balancer that asks their readiness, restarted one after the other under load: no request fails.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { endCommands, freePorts, type Started, startCommand } from '../support/command.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'
import { startLoad } from '../support/steady-load.ts'

const LOOK_EVERY_MS = 50

vi.setConfig({ testTimeout: 90_000 })

interface Instance {
  readonly port: number
  readonly adminPort: number
  readonly map: string
  ready: boolean
  serving: Started
}

const folder = mkdtempSync(join(tmpdir(), 'scopegate-rolling-'))
let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
afterAll(async () => {
  endCommands()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

function mapOf(port: number, adminPort: number): string {
  return `version: 1
server:
  listen: 127.0.0.1:${port}
  admin: 127.0.0.1:${adminPort}
  publicUrl: https://api.example.org
  timeouts: { grace: 1s, drain: 5s }
upstreams: { app: { url: "${upstream.url}" } }
routes:
  - { name: app, upstream: app, match: { GET /a: public } }
`
}

async function startInstance(name: string): Promise<Instance> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const map = join(folder, `${name}.yaml`)
  writeFileSync(map, mapOf(port, adminPort))
  const instance = { port, adminPort, map, ready: false, serving: startCommand(['serve', '--config', map]) }
  await instance.serving.prints(/listens on/)
  return instance
}

/** Bytes only: each connection to one instance that was ready when it was last asked. */
async function startBalancer(instances: readonly Instance[]) {
  const look = setInterval(() => {
    for (const instance of instances) {
      const asked = get({ host: '127.0.0.1', port: instance.adminPort, path: '/health/ready', agent: false })
      asked.on('response', (response) => {
        instance.ready = response.statusCode === 200
        response.resume()
      })
      asked.on('error', () => {
        instance.ready = false
      })
    }
  }, LOOK_EVERY_MS)
  let turn = 0
  const server = createServer((client) => {
    const fit = instances.filter(({ ready }) => ready)
    const instance = fit[turn++ % fit.length]
    if (instance === undefined) {
      client.destroy()
      return
    }
    const behind = connect(instance.port, '127.0.0.1')
    client.pipe(behind).pipe(client)
    client.on('error', () => behind.destroy())
    behind.on('error', () => client.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      clearInterval(look)
      server.close()
    },
  }
}

test('two instances are restarted one after the other, and no client notices', async () => {
  const instances = await Promise.all(['one', 'two'].map(startInstance))
  const balancer = await startBalancer(instances)
  await expect.poll(() => instances.every(({ ready }) => ready), { timeout: 20_000 }).toBe(true)
  const load = startLoad({ port: balancer.port, clients: 6, pause: 5, ask: (it) => it.ask('GET /a') })
  await load.more(50)
  for (const instance of instances) {
    instance.serving.process.kill('SIGTERM')
    expect((await instance.serving.ended).code).toBe(0)
    await load.more(50)
    instance.serving = startCommand(['serve', '--config', instance.map])
    await instance.serving.prints(/listens on/)
    await expect.poll(() => instance.ready, { timeout: 20_000 }).toBe(true)
    await load.more(50)
  }
  await load.stop()
  balancer.close()
  console.log(`${load.answers} requests, ${load.broken.length} broken`)
  expect(load.broken).toEqual([])
  expect([...load.statuses.keys()]).toEqual([200])
  for (const { serving } of instances) {
    serving.process.kill('SIGINT')
    expect((await serving.ended).code).toBe(0)
  }
})
