// `serve` and `healthcheck` with TLS on both ports, by one process and by several: files beside the route map, taken up anew while it
// runs; and a file that cannot be used, told with its place before anything is opened.

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { makeAuthority } from '../support/certificates.ts'
import { endCommands, freePorts, isOpen, runCommand, startCommand } from '../support/command.ts'
import { askTls } from '../support/tls-port.ts'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-serve-tls-'))
const authority = makeAuthority()
const operators = makeAuthority('operators')
const ca = authority.cert
const LISTENS = /scopegate listens on https:\/\/127\.0\.0\.1:(\d+), admin on https:\/\/127\.0\.0\.1:(\d+)/

// Several processes, each of which loads the whole gateway.
vi.setConfig({ testTimeout: 60_000 })

beforeAll(() => {
  writeFileSync(join(folder, 'operators.pem'), operators.cert)
})
afterAll(() => {
  endCommands()
  rmSync(folder, { recursive: true, force: true })
})

/** By renaming, as `certbot` and its like do. */
function writePair(name: string): void {
  for (const [part, text] of Object.entries(authority.issue(name))) {
    writeFileSync(join(folder, 'new'), text)
    renameSync(join(folder, 'new'), join(folder, `${part}.pem`))
  }
}

function writeMap(
  name: string,
  port: number,
  adminPort: number,
  keys = '',
  { clientCa = 'operators.pem' } = {},
): string {
  const file = join(folder, name)
  writeFileSync(
    file,
    `version: 1
server:
  listen: 127.0.0.1:${port}
  publicUrl: https://gateway.test
  tls: { cert: cert.pem, key: key.pem }
  admin: { listen: 127.0.0.1:${adminPort}, clientCa: ${clientCa} }
  ${keys}
upstreams: { app: { url: "http://127.0.0.1:9" } }
routes: [{ name: app, upstream: app, match: { GET /app: public } }]
`,
  )
  return file
}

describe.each([
  ['one process', ''],
  ['two workers', 'workers: 2'],
])('%s', (_, keys) => {
  test('serves over TLS, is healthy over TLS, takes up a renewed pair, and reloads', async () => {
    writePair('first')
    const [port = 0, adminPort = 0] = await freePorts(2)
    const config = writeMap('routes.yaml', port, adminPort, keys)
    const serving = startCommand(['serve', '--config', config])
    await serving.prints(LISTENS)
    const before = await askTls(port, { ca })
    expect(before.text).toMatch(/^HTTP\/1\.1 404 /)
    const admin = await askTls(adminPort, { ca }, 'GET /keys HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    expect(admin.text).toMatch(/^HTTP\/1\.1 401 /)
    expect(await runCommand(['healthcheck', '--config', config])).toMatchObject({ code: 0 })
    writePair('second')
    await vi.waitFor(
      async () => {
        const answers = await Promise.all(Array.from({ length: 6 }, () => askTls(port, { ca })))
        expect(answers.filter(({ serial, text }) => text === '' || serial === before.serial)).toEqual([])
      },
      { timeout: 20_000, interval: 500 },
    )
    // A reload counts behind TLS too, with the pair that was taken up.
    const { serial } = await askTls(port, { ca })
    writeFileSync(config, readFileSync(config, 'utf8').replace('GET /app', 'GET /new'))
    serving.process.kill('SIGHUP')
    await serving.prints(/the route map was reloaded/)
    const request = 'GET /new HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const answers = await Promise.all(Array.from({ length: 6 }, () => askTls(port, { ca }, request)))
    expect(answers.map(({ text }) => text.slice(0, 12))).toEqual(Array(6).fill('HTTP/1.1 502'))
    expect(new Set(answers.map((answer) => answer.serial))).toEqual(new Set([serial]))
    serving.process.kill('SIGTERM')
    expect(await serving.ended).toMatchObject({ code: 0 })
  })

  test('a file that cannot be used is told with its place, and nothing is opened', async () => {
    writePair('third')
    const [port = 0, adminPort = 0] = await freePorts(2)
    const config = writeMap('broken.yaml', port, adminPort, keys, { clientCa: 'absent.pem' })
    const { code, err } = await runCommand(['serve', '--config', config])
    expect(code, err).toBe(1)
    expect(err).toMatch(/broken\.yaml:6:\d+: \S+absent\.pem: there is no such file/)
    expect(err).toContain('Nothing was opened.')
    expect(await isOpen(port)).toBe(false)
    expect(await isOpen(adminPort)).toBe(false)
  })
})
