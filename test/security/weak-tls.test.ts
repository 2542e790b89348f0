// Older protocols, weaker ciphers, renegotiation, and whatever is no TLS at all: the connection ends, and nothing of it is read as
// a request.

import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'
import { askTls, startTlsPort, type TlsPortRig } from '../support/tls-port.ts'

let rig: TlsPortRig
beforeAll(async () => {
  rig = await startTlsPort({ header: 300 })
})
afterAll(() => rig.close())

const ca = () => ({ ca: rig.authority.cert })

test.each(['TLSv1', 'TLSv1.1'] as const)('%s', async (version) => {
  // Level 0, or the client itself would not offer it.
  const answer = await askTls(rig.port, {
    ...ca(),
    minVersion: version,
    maxVersion: version,
    ciphers: 'ALL:@SECLEVEL=0',
  })
  expect(answer.text).toBe('')
  expect(answer.error).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/)
})

test.each(['AES128-SHA', 'AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'NULL', 'aNULL'])(
  'TLS 1.2 with %s',
  async (ciphers) => {
    const answer = await askTls(rig.port, { ...ca(), maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` })
    expect(answer).toMatchObject({ text: '', error: expect.stringMatching(/HANDSHAKE_FAILURE|NO_CIPHER|ECONNRESET/) })
  },
)

test('a renegotiation that the client asks for', async () => {
  const socket = connect({ host: '127.0.0.1', port: rig.port, ...ca(), maxVersion: 'TLSv1.2' })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const outcome = await new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'refused'))
    socket.renegotiate({}, (error) => resolve(error === null ? 'granted' : 'refused'))
  })
  expect(outcome).not.toBe('granted')
  socket.destroy()
})

test.each([
  ['HTTP', requestText('GET /fhir/R4/Patient/p1', ['Authorization: Bearer x'])],
  ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['noise', 'EHLO example.org\r\n'],
  ['SSLv2', Buffer.from('802e0100020015000000100100800200800300800400800500800600400700c0', 'hex').toString('latin1')],
])(
  '%s in clear on the TLS port: the connection ends without an answer that could be taken for one',
  async (_, bytes) => {
    const { text } = await exchangeRaw(rig.port, Buffer.from(bytes, 'latin1'))
    expect(text).not.toContain('HTTP/1.1')
  },
)

test('after all of that, the port answers', async () => {
  connectTcp(rig.port, '127.0.0.1').destroy()
  expect((await askTls(rig.port, ca())).text).toMatch(/^HTTP\/1\.1 200 /)
})
