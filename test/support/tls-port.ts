// A TLS port of the gateway on loopback whose files lie in a folder of its own, and a client that says what became of its handshake.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Connections } from '../../src/server/port/connections.ts'
import { type Listener, listen } from '../../src/server/port/listen.ts'
import { openTlsIdentity, type TlsIdentity, type TlsNews } from '../../src/server/port/tls-identity.ts'
import type { ClientCertificates, TlsPort } from '../../src/server/port/tls-server.ts'
import { type Authority, type Certified, makeAuthority } from './certificates.ts'

export interface TlsPortRig {
  readonly port: number
  readonly folder: string
  readonly authority: Authority
  readonly identity: TlsIdentity
  readonly news: TlsNews[]
  readonly listener: Listener
  /** Requests that came as far as the gateway. */
  readonly served: { count: number }
  /** Writes files of the identity, as they come. */
  write(files: Partial<Certified> & { readonly clientCa?: string }): void
  close(): Promise<void>
}

export interface TlsPortWishes {
  readonly clientCa?: string
  readonly clientCertificates?: ClientCertificates
  readonly header?: number
  readonly onRefused?: TlsPort['onRefused']
  readonly connections?: Connections
}

/** Answers every request with the subject of the client's certificate, or `nobody`. */
export async function startTlsPort({
  clientCa,
  clientCertificates,
  header = 2_000,
  onRefused,
  connections,
}: TlsPortWishes = {}): Promise<TlsPortRig> {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-tls-'))
  const authority = makeAuthority()
  const write: TlsPortRig['write'] = (files) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.pem`), text)
  }
  write({ ...authority.issue('server'), ...(clientCa === undefined ? {} : { clientCa }) })
  const news: TlsNews[] = []
  const identity = await openTlsIdentity({
    files: {
      cert: join(folder, 'cert.pem'),
      key: join(folder, 'key.pem'),
      ...(clientCa === undefined ? {} : { clientCa: join(folder, 'clientCa.pem') }),
    },
    onNews: (one) => news.push(one),
  })
  news.length = 0
  const served = { count: 0 }
  const asked = clientCertificates ?? (clientCa === undefined ? 'none' : 'required')
  const listener = await listen(
    {
      host: '127.0.0.1',
      port: 0,
      limits: { header: 4_096, target: 1_024 },
      timeouts: { header, idle: 2_000, request: 60_000 },
      connections,
      tls: { identity, clientCertificates: asked, onRefused },
    },
    {
      handle: ({ socket }, response) => {
        served.count++
        const certificate = (socket as TLSSocket).getPeerX509Certificate()
        response.end(certificate === undefined ? 'nobody' : certificate.subject)
      },
      refuse: (_request, response, refusal) => response.writeHead(refusal.status).end(),
    },
  )
  return {
    port: listener.address.port,
    folder,
    authority,
    identity,
    news,
    listener,
    served,
    write,
    close: async () => {
      identity.close()
      await listener.close(0)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface TlsAnswer {
  /** What came back over the connection; empty where the handshake failed. */
  readonly text: string
  /** Code of the error that ended it, if one did. */
  readonly error: string | undefined
  readonly protocol: string | null
  /** Serial number of the server's certificate. */
  readonly serial: string | undefined
  readonly resumed: boolean
  /** For a later connection; there where the server gave one. */
  readonly session: Buffer | undefined
}

/** One request over TLS, until the connection ends. */
export function askTls(
  port: number,
  options: ConnectionOptions,
  request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
): Promise<TlsAnswer> {
  return new Promise((resolve) => {
    let text = ''
    let error: string | undefined
    let session: Buffer | undefined
    let known: Pick<TlsAnswer, 'protocol' | 'serial' | 'resumed'> = {
      protocol: null,
      serial: undefined,
      resumed: false,
    }
    const socket = connect({ host: '127.0.0.1', port, ...options }, () => {
      const serial = socket.getPeerX509Certificate()?.serialNumber
      known = { protocol: socket.getProtocol(), serial, resumed: socket.isSessionReused() }
      socket.write(request)
    })
    socket.on('session', (given: Buffer) => {
      session = given
    })
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', (failed: NodeJS.ErrnoException) => {
      error = failed.code ?? failed.message
    })
    socket.on('close', () => resolve({ text, error, session, ...known }))
  })
}
