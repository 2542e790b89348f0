// One rate for all workers of a gateway, counted by the process that started them, and across reloads.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { endCommands, startCommand } from '../support/command.ts'
import { HttpClient } from '../support/http-client.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'

const LISTENS = /scopegate listens on http:\/\/127\.0\.0\.1:(\d+), admin on http:\/\/127\.0\.0\.1:(\d+)/
const folder = mkdtempSync(join(tmpdir(), 'scopegate-rates-'))
const map = join(folder, 'routes.yaml')

vi.setConfig({ testTimeout: 90_000 })

let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
afterAll(async () => {
  endCommands()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

function write(requests: number, timeout = '20s'): void {
  writeFileSync(
    map,
    `version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: https://api.example.org, workers: 2 }
upstreams: { app: { url: "${upstream.url}", timeout: ${timeout} } }
routes: [{ name: app, upstream: app, match: { GET /a: public }, rateLimit: { requests: ${requests}, per: 24h } }]
`,
  )
}

test('together they let through what one would', async () => {
  write(10)
  const serving = startCommand(['serve', '--config', map])
  const [, port, adminPort] = await serving.prints(LISTENS)
  const admin = new HttpClient(Number(adminPort))
  // A connection for each request, so that both workers are asked.
  const asked = async (times: number): Promise<Record<number, number>> => {
    const counts: Record<number, number> = {}
    const answers = Array.from({ length: times }, () =>
      fetch(`http://127.0.0.1:${port}/a`, { headers: { connection: 'close' } }),
    )
    for (const { status } of await Promise.all(answers)) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }
  const reload = async (): Promise<number> =>
    (await admin.ask('POST /reload', { headers: ['content-type', 'application/json'], body: '{}' })).status

  expect(await asked(30)).toEqual({ 200: 10, 429: 20 })

  write(10, '19s')
  expect(await reload()).toBe(200)
  expect(await asked(4)).toEqual({ 429: 4 })

  write(3)
  expect(await reload()).toBe(200)
  expect(await asked(5)).toEqual({ 200: 3, 429: 2 })

  admin.close()
  serving.process.kill('SIGTERM')
  expect((await serving.ended).code).toBe(0)
})
