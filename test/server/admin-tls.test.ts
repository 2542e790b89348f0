// The admin port over TLS: who gets in by a client certificate, by the token, by neither; and the probe of `healthcheck`.

import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { askReadiness } from '../../src/cli/healthcheck.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { type AdminPort, startAdmin } from '../../src/server/admin/admin.ts'
import { openTlsIdentity } from '../../src/server/port/tls-identity.ts'
import { type Certified, makeAuthority } from '../support/certificates.ts'
import { askTls } from '../support/tls-port.ts'

const authority = makeAuthority()
const operators = makeAuthority('operators')
const operator = operators.issue('operator')
const stranger = makeAuthority('strangers').issue('operator')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-admin-tls-'))
  const files = { ...authority.issue('admin'), clientCa: operators.cert }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let admin: AdminPort
afterEach(() => admin.close(0))

async function start({ host = '127.0.0.1', token = '', clientCa = true } = {}): Promise<void> {
  const files = { cert: join(folder, 'cert'), key: join(folder, 'key') }
  const identity = await openTlsIdentity({ files: clientCa ? { ...files, clientCa: join(folder, 'clientCa') } : files })
  const metrics = createMetrics({ process: false })
  metrics.applied(1, { routes: [], upstreams: [], issuers: [] })
  admin = await startAdmin({
    settings: { listen: { host, port: 0 }, token },
    tls: { identity, clientCertificates: clientCa ? 'optional' : 'none' },
    metrics,
    isReady: () => true,
    generation: () => 1,
    explain: (request) => Promise.resolve({ asked: request }),
  })
}

/** Status of the answer; undefined where the handshake gave none. */
async function ask(line: string, certified: Partial<Certified> = {}, fields: readonly string[] = []) {
  const text = [`${line} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...fields].join('\r\n')
  const answer = await askTls(admin.address.port, { ca: authority.cert, ...certified }, `${text}\r\n\r\n`)
  return /^HTTP\/1\.1 (\d+)/.exec(answer.text)?.[1]
}

const TOKEN = ['Authorization: Bearer let-me-in']

describe.each(['127.0.0.1', '0.0.0.0'])('on %s', (host) => {
  test('with client certificates, one of ours opens everything, and nobody needs one for health and metrics', async () => {
    await start({ host })
    expect(await ask('GET /keys', operator)).toBe('200')
    expect(await ask('GET /keys')).toBe('401')
    expect(await ask('GET /keys', {}, TOKEN)).toBe('401')
    expect(await ask('GET /health/ready')).toBe('200')
    expect(await ask('GET /metrics')).toBe('200')
  })

  test('one that cannot be verified gets no answer', async () => {
    await start({ host })
    expect(await ask('GET /keys', stranger)).toBeUndefined()
    expect(await ask('GET /health/ready', stranger)).toBeUndefined()
  })

  test('with a token besides, either opens', async () => {
    await start({ host, token: 'let-me-in' })
    expect(await ask('GET /keys', operator)).toBe('200')
    expect(await ask('GET /keys', {}, TOKEN)).toBe('200')
    expect(await ask('GET /keys')).toBe('401')
    expect(await ask('GET /keys', {}, ['Authorization: Bearer let-me-out'])).toBe('401')
  })

  test('without a CA a certificate is nothing', async () => {
    await start({ host, token: 'let-me-in', clientCa: false })
    expect(await ask('GET /keys', operator)).toBe('401')
    expect(await ask('GET /keys', {}, TOKEN)).toBe('200')
  })

  test('a page of another site does not lend the certificate of whoever looks at it', async () => {
    await start({ host })
    const json = ['Content-Type: application/json']
    expect(await ask('POST /explain', operator, [...json, 'Origin: https://evil.example'])).toBe('403')
    expect(await ask('POST /explain', operator, [...json, 'Origin: http://127.0.0.1'])).toBe('403')
    expect(await ask('POST /explain', operator, ['Content-Type: text/plain'])).toBe('415')
  })
})

test('a certificate that has ended opens nothing any more, on a connection that is kept', async () => {
  await start()
  const socket = connect({ host: '127.0.0.1', port: admin.address.port, ca: authority.cert, ...operator })
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  const askOn = async (): Promise<string | undefined> => {
    text = ''
    socket.write('GET /keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await expect.poll(() => text).toContain('\r\n\r\n')
    return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
  }
  try {
    expect(await askOn()).toBe('200')
    vi.useFakeTimers({ toFake: ['Date'], now: new X509Certificate(operator.cert).validToDate })
    expect(await askOn()).toBe('401')
  } finally {
    vi.useRealTimers()
    socket.destroy()
  }
})

test('off loopback, neither token nor CA: health and metrics only', async () => {
  await start({ host: '0.0.0.0', clientCa: false })
  expect(await ask('GET /keys')).toBe('403')
  expect(await ask('GET /keys', operator)).toBe('403')
  expect(await ask('GET /health/live')).toBe('200')
})

test('the probe of healthcheck asks over TLS, without a certificate', async () => {
  await start()
  const { port } = admin.address
  expect(await askReadiness({ host: '127.0.0.1', port }, { secure: true })).toBeUndefined()
  expect(await askReadiness({ host: '127.0.0.1', port })).toMatch(/^not ready/)
})
