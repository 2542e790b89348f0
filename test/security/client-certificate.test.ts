// Who may connect where client certificates are asked for: nobody with one that cannot be verified, whatever else they carry, and a
// session that was begun under a CA that is no longer believed is not resumed.

import { once } from 'node:events'
import { connect as connectBare } from 'node:net'
import { connect } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { type Authority, makeAuthority } from '../support/certificates.ts'
import { askTls, startTlsPort, type TlsAnswer, type TlsPortRig } from '../support/tls-port.ts'

const clients: Authority = makeAuthority('clients')
const strangers: Authority = makeAuthority('strangers')
/** It says the same of itself, but nobody of ours signed it. */
const impostors: Authority = makeAuthority('clients')
const DAY = 86_400_000

let rig: TlsPortRig
afterEach(() => rig.close())

const CERTIFICATES = {
  none: {},
  good: clients.issue('good'),
  'by another CA': strangers.issue('good'),
  'by a CA of the same name': impostors.issue('good'),
  'signed by itself': makeAuthority('good'),
  'by one that is no CA': (() => {
    const { cert, key } = clients.issue('good')
    return { cert: `${strangers.issue('lower').cert}${cert}`, key }
  })(),
  expired: clients.issue('good', { notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY }),
  'of tomorrow': clients.issue('good', { notBefore: Date.now() + DAY, notAfter: Date.now() + 2 * DAY }),
}
type Kind = keyof typeof CERTIFICATES

const UNVERIFIABLE: readonly Kind[] = [
  'by another CA',
  'by a CA of the same name',
  'signed by itself',
  'expired',
  'of tomorrow',
]
const PROTOCOLS = ['TLSv1.2', 'TLSv1.3'] as const

function ask(kind: Kind, protocol: (typeof PROTOCOLS)[number], session?: Buffer): Promise<TlsAnswer> {
  const options = { ca: rig.authority.cert, maxVersion: protocol, ...CERTIFICATES[kind], ...(session && { session }) }
  return askTls(rig.port, options)
}

for (const protocol of PROTOCOLS) {
  test.each(UNVERIFIABLE)(`${protocol}: a certificate %s gets no answer, even where none is needed`, async (kind) => {
    for (const clientCertificates of ['required', 'optional'] as const) {
      rig = await startTlsPort({ clientCa: clients.cert, clientCertificates })
      expect((await ask(kind, protocol)).text).toBe('')
      expect(rig.served.count).toBe(0)
      if (clientCertificates === 'required') await rig.close()
    }
  })

  test(`${protocol}: one of ours is known by its subject`, async () => {
    rig = await startTlsPort({ clientCa: clients.cert })
    expect((await ask('good', protocol)).text).toMatch(/\r\n\r\n.*CN=good/s)
  })

  test(`${protocol}: without one there is no answer where it is required, and nobody where it is not`, async () => {
    rig = await startTlsPort({ clientCa: clients.cert })
    expect((await ask('none', protocol)).text).toBe('')
    await rig.close()
    rig = await startTlsPort({ clientCa: clients.cert, clientCertificates: 'optional' })
    expect((await ask('none', protocol)).text).toMatch(/nobody/)
  })

  test(`${protocol}: a resumed session is the same client`, async () => {
    rig = await startTlsPort({ clientCa: clients.cert })
    const first = await ask('good', protocol)
    const again = await ask('none', protocol, first.session)
    expect(again).toMatchObject({ resumed: true })
    expect(again.text).toMatch(/CN=good/)
  })

  test(`${protocol}: a session of before is not resumed once its CA is no longer believed`, async () => {
    rig = await startTlsPort({ clientCa: clients.cert })
    const { session } = await ask('good', protocol)
    rig.write({ clientCa: strangers.cert })
    await rig.identity.look()
    expect((await ask('good', protocol, session)).text).toBe('')
    expect((await ask('by another CA', protocol)).text).toMatch(/CN=good/)
  })
}

/** A connection that is kept; nothing comes back when it is over. */
async function keep(options: object): Promise<{ ask(): Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port: rig.port, ca: rig.authority.cert, ...options })
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await once(socket, 'secureConnect')
  return {
    ask: async () => {
      text = ''
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      await Promise.race([closed, expect.poll(() => text).toMatch(/\r\n\r\n./)])
      return text
    },
  }
}

test.each(['required', 'optional'] as const)(
  'a connection ends when a CA is no longer believed (%s), not when one is added',
  async (clientCertificates) => {
    rig = await startTlsPort({ clientCa: clients.cert, clientCertificates })
    const kept = await keep(CERTIFICATES.good)
    expect(await kept.ask()).toMatch(/CN=good/)
    rig.write({ clientCa: `${strangers.cert}${clients.cert}` })
    await rig.identity.look()
    expect(await kept.ask()).toMatch(/CN=good/)
    expect((await ask('by another CA', 'TLSv1.3')).text).toMatch(/CN=good/)
    rig.write({ clientCa: strangers.cert })
    await rig.identity.look()
    const { count } = rig.served
    expect(await kept.ask()).toBe('')
    expect(rig.served.count).toBe(count)
    expect((await ask('by another CA', 'TLSv1.3')).text).toMatch(/CN=good/)
  },
)

test('a handshake that began before, and ends when its CA is no longer believed, lets nobody in', async () => {
  rig = await startTlsPort({ clientCa: clients.cert })
  const bare = connectBare({ host: '127.0.0.1', port: rig.port })
  await once(bare, 'connect')
  // Another connection that is served is behind it: it was accepted.
  expect((await ask('good', 'TLSv1.3')).text).toMatch(/CN=good/)
  rig.write({ clientCa: strangers.cert })
  await rig.identity.look()
  expect((await askTls(rig.port, { ca: rig.authority.cert, ...CERTIFICATES.good, socket: bare })).text).toBe('')
  expect(rig.served.count).toBe(1)
})

test('a CA file without a CA is refused, because no CA would mean every public one', async () => {
  rig = await startTlsPort({ clientCa: clients.cert })
  for (const clientCa of ['', 'soon', clients.issue('no CA').cert]) {
    rig.write({ clientCa })
    await rig.identity.look()
    await rig.identity.look()
    expect(rig.news.at(-1)).toMatchObject({ state: 'broken', problem: expect.stringContaining('clientCa.pem') })
    expect((await ask('by another CA', 'TLSv1.3')).text).toBe('')
  }
})
