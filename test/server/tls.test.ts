// TLS on the public port over real sockets: what is spoken, who is asked for a certificate, and how new files are taken up.

import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { openTlsIdentity } from '../../src/server/port/tls-identity.ts'
import type { TlsRefusal } from '../../src/server/port/tls-refusal.ts'
import { makeAuthority } from '../support/certificates.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'
import { askTls, startTlsPort, type TlsPortRig, type TlsPortWishes } from '../support/tls-port.ts'

let rig: TlsPortRig
afterEach(() => rig.close())

async function start(wishes: TlsPortWishes = {}): Promise<{ ca: string }> {
  rig = await startTlsPort(wishes)
  return { ca: rig.authority.cert }
}

describe('what is spoken', () => {
  test('TLS 1.3, verified by the name', async () => {
    const ca = await start()
    expect(await askTls(rig.port, ca)).toMatchObject({ protocol: 'TLSv1.3', error: undefined })
    expect((await askTls(rig.port, ca)).text).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('TLS 1.2 with forward secrecy', async () => {
    const ca = await start()
    expect(await askTls(rig.port, { ...ca, maxVersion: 'TLSv1.2' })).toMatchObject({ protocol: 'TLSv1.2' })
  })

  test('HTTP/1.1 by ALPN, and nothing for a client that speaks HTTP/2 only', async () => {
    const ca = await start()
    expect((await askTls(rig.port, { ...ca, ALPNProtocols: ['h2', 'http/1.1'] })).text).toMatch(/^HTTP\/1\.1 200 /)
    expect(await askTls(rig.port, { ...ca, ALPNProtocols: ['h2'] })).toMatchObject({
      text: '',
      error: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    })
  })

  test('a session is resumed', async () => {
    const ca = await start()
    const { session } = await askTls(rig.port, ca)
    expect(await askTls(rig.port, { ...ca, session: session! })).toMatchObject({ resumed: true, error: undefined })
  })

  test('a handshake that was begun and left does not hold up the end', async () => {
    await start({ header: 30_000 })
    const idle = connect(rig.port, '127.0.0.1')
    await new Promise((resolve) => idle.once('connect', resolve))
    await rig.listener.close(50)
    idle.destroy()
  })

  test('a handshake that never ends is cut', async () => {
    await start({ header: 150 })
    const slow = connect(rig.port, '127.0.0.1')
    await new Promise((resolve) => slow.once('close', resolve).resume())
  })
})

describe('files that change', () => {
  test('the new pair is shown to new connections', async () => {
    const ca = await start()
    const before = await askTls(rig.port, ca)
    rig.write(rig.authority.issue('server, renewed'))
    await rig.identity.look()
    const after = await askTls(rig.port, ca)
    expect(after).toMatchObject({ error: undefined })
    expect(after.serial).not.toBe(before.serial)
    expect(rig.news).toMatchObject([{ state: 'read' }])
  })

  test('between the certificate and its key nothing changes and nothing is said', async () => {
    const ca = await start()
    const before = await askTls(rig.port, ca)
    const { cert, key } = rig.authority.issue('server, renewed')
    rig.write({ cert })
    await rig.identity.look()
    expect((await askTls(rig.port, ca)).serial).toBe(before.serial)
    rig.write({ key })
    await rig.identity.look()
    expect((await askTls(rig.port, ca)).serial).not.toBe(before.serial)
    expect(rig.news).toMatchObject([{ state: 'read' }])
  })

  test.each<[string, { cert?: string; key?: string }, RegExp]>([
    [
      'a key of another certificate',
      { key: makeAuthority().key },
      /key\.pem is not the key of the certificate in .*cert\.pem/,
    ],
    ['no certificate', { cert: 'soon' }, /cert\.pem holds no certificate; it must be PEM/],
    [
      'half a certificate',
      { cert: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' },
      /certificate 1 in .* cannot be read/,
    ],
    ['no key', { key: '' }, /key\.pem holds no private key/],
  ])('%s: the last good pair is served on, and that is said once', async (_, files, problem) => {
    const ca = await start()
    const before = await askTls(rig.port, ca)
    rig.write(files)
    for (let times = 0; times < 4; times++) await rig.identity.look()
    expect((await askTls(rig.port, ca)).serial).toBe(before.serial)
    expect(rig.news).toEqual([{ state: 'broken', problem: expect.stringMatching(problem) }])
    expect(JSON.stringify(rig.news)).not.toMatch(/MII|PRIVATE/)
    rig.write(rig.authority.issue('mended'))
    await rig.identity.look()
    expect(rig.news.at(-1)).toMatchObject({ state: 'read' })
    expect((await askTls(rig.port, ca)).serial).not.toBe(before.serial)
  })

  test('a file that is gone for good is said, and the last good pair served on', async () => {
    const ca = await start()
    rmSync(join(rig.folder, 'key.pem'))
    await rig.identity.look()
    await rig.identity.look()
    expect(rig.news).toEqual([{ state: 'broken', problem: expect.stringMatching(/key\.pem: there is no such file/) }])
    expect(await askTls(rig.port, ca)).toMatchObject({ error: undefined })
  })

  test('a folder that is swapped by its symbolic link, as Kubernetes does', async () => {
    const ca = await start()
    const version = async (name: string): Promise<void> => {
      await mkdir(join(rig.folder, name))
      const { cert, key } = rig.authority.issue(name)
      await writeFile(join(rig.folder, name, 'tls.crt'), cert)
      await writeFile(join(rig.folder, name, 'tls.key'), key)
      symlinkSync(name, join(rig.folder, '..data_tmp'))
      renameSync(join(rig.folder, '..data_tmp'), join(rig.folder, '..data'))
    }
    await version('v1')
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(rig.folder, name))
    const subjects: (string | undefined)[] = []
    const files = { cert: join(rig.folder, 'tls.crt'), key: join(rig.folder, 'tls.key') }
    const identity = await openTlsIdentity({ files, interval: 10 })
    const changed = new Promise<void>((resolve) => {
      identity.onChange(({ cert }) => {
        subjects.push(String(cert))
        resolve()
      })
    })
    await version('v2')
    await changed
    identity.close()
    expect(subjects).toHaveLength(1)
    expect(await askTls(rig.port, ca)).toMatchObject({ error: undefined })
  })
})

describe('why a handshake came to nothing is told', () => {
  const clients = makeAuthority('clients')
  const stranger = makeAuthority('strangers').issue('client')
  const expired = clients.issue('client', { notBefore: 1e12, notAfter: 1.1e12 })

  test.each<[reason: string, code: string, ConnectionOptions | string]>([
    ['no-certificate', 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', {}],
    ['certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', stranger],
    ['certificate', 'CERT_HAS_EXPIRED', expired],
    [
      'protocol',
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
    ],
    ['protocol', 'ERR_SSL_NO_SHARED_CIPHER', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }],
    ['protocol', 'ERR_SSL_NO_APPLICATION_PROTOCOL', { ALPNProtocols: ['h2'] }],
    ['no-tls', 'ERR_SSL_HTTP_REQUEST', requestText('GET /')],
    ['no-tls', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EHLO example.org\r\n'],
    ['too-slow', 'ERR_TLS_HANDSHAKE_TIMEOUT', '\x16'],
  ])('%s: %s', async (reason, code, client) => {
    const refused = Promise.withResolvers<TlsRefusal>()
    const ca = await start({ clientCa: clients.cert, header: 200, onRefused: refused.resolve })
    if (typeof client === 'string') await exchangeRaw(rig.port, client)
    else await askTls(rig.port, { ...ca, ...client })
    expect(await refused.promise).toEqual({ reason, code })
  })

  test('where a certificate is optional, too, and once', async () => {
    const refusals: TlsRefusal[] = []
    const ca = await start({
      clientCa: clients.cert,
      clientCertificates: 'optional',
      onRefused: (refusal) => refusals.push(refusal),
    })
    await askTls(rig.port, { ...ca, ...expired })
    await askTls(rig.port, ca)
    expect(refusals).toEqual([{ reason: 'certificate', code: 'CERT_HAS_EXPIRED' }])
  })
})
