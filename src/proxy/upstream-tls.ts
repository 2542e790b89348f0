// TLS towards an upstream: the CA that counts, the certificate that the gateway shows, the name that the server must prove. Read
// whole before anything is sent; what cannot be used keeps the configuration from being applied.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'

/** Files of the route map. */
export interface UpstreamTlsFiles {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
}

/** What the files hold, PEM. */
export interface UpstreamTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
}

/** The message says what to do, and holds nothing of the key; `part` is the key of the route map. */
export class UpstreamTlsError extends Error {
  readonly part: keyof UpstreamTlsFiles

  constructor(part: keyof UpstreamTlsFiles, message: string) {
    super(message)
    this.part = part
  }
}

const LARGEST = 1024 * 1024

/** Rejects with an `UpstreamTlsError`. */
export async function readUpstreamTls(files: UpstreamTlsFiles): Promise<UpstreamTls> {
  const { serverName } = files
  const [ca, cert, key] = await Promise.all([read('ca', files.ca), read('cert', files.cert), read('key', files.key)])
  const tls: UpstreamTls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { serverName }),
  }
  check(tls)
  return tls
}

/** For undici's connector. */
export function connectOptions(tls: UpstreamTls | undefined) {
  return {
    // INVARIANT: TLS is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says (CVE-2026-107318 was a proxy that did not).
    rejectUnauthorized: true,
    ...(tls?.ca !== undefined && { ca: tls.ca }),
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  }
}

async function read(part: 'ca' | 'cert' | 'key', file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UpstreamTlsError(part, `${file} cannot be read (${error.code}); name a PEM file that this user may read`)
  })
  if (bytes.length > LARGEST)
    throw new UpstreamTlsError(part, `${file} is larger than ${LARGEST} bytes; name a PEM file`)
  return bytes.toString('latin1')
}

function check({ ca, cert, key }: UpstreamTls): void {
  // Node believes every public CA when it is given a CA without a certificate.
  if (ca !== undefined) certificateIn('ca', ca)
  if (cert !== undefined) {
    const leaf = certificateIn('cert', cert)
    if (key !== undefined && !leaf.checkPrivateKey(keyIn(key))) {
      throw new UpstreamTlsError('key', 'this is not the key of the certificate in tls.cert; name the pair')
    }
  }
  try {
    createSecureContext({ ca, cert, key })
  } catch (error) {
    const { reason = 'it is not usable' } = error as { reason?: string }
    throw new UpstreamTlsError('cert', `this cannot be used: ${reason}`)
  }
}

function certificateIn(part: 'ca' | 'cert', text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch {
    throw new UpstreamTlsError(part, 'the file holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)')
  }
}

function keyIn(text: string) {
  try {
    return createPrivateKey(text)
  } catch {
    throw new UpstreamTlsError(
      'key',
      'the file holds no private key that can be read; it must be PEM without a passphrase',
    )
  }
}
