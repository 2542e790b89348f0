// What TLS is spoken with, read from the files that the route map names: a certificate chain with its key, and the CA of client
// certificates. Read whole and checked whole, so that what is handed on can be served: a key that belongs to another certificate, as
// between the two renames of a renewal, or a CA file without a certificate (Node would then believe every public CA) is a fault.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string | undefined
}

/** PEM, fit to serve. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
  /** When the certificate that clients are shown ends, and when it should have been renewed; milliseconds since 1970. */
  readonly expires: number
  readonly renewBefore: number
}

/** `part` is the key of the route map that names the file; the message says what to do, and holds nothing of the key. */
export class TlsFault extends Error {
  readonly part: keyof TlsFiles
  constructor(part: keyof TlsFiles, message: string) {
    super(message)
    this.part = part
  }
}

const LARGEST = 1024 * 1024
const LATEST_RENEWAL_MS = 7 * 86_400_000
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** What the files hold; nothing of it is checked. */
export type TlsTexts = Readonly<Record<keyof TlsFiles, string | undefined>>

/** Rejects with a `TlsFault`. */
export async function readTlsFiles(files: TlsFiles): Promise<TlsTexts> {
  const [cert, key, clientCa] = await Promise.all([
    read(files, 'cert'),
    read(files, 'key'),
    files.clientCa === undefined ? undefined : read(files, 'clientCa'),
  ])
  return { cert, key, clientCa }
}

/** Throws a `TlsFault`. */
export function checkTlsFiles({ cert = '', key = '', clientCa: ca }: TlsTexts, files: TlsFiles): TlsMaterial {
  const chain = certificatesIn(cert, files, 'cert')
  const [leaf] = chain
  const privateKey = privateKeyIn(key, files)
  const owner = chain.findIndex((one) => one.checkPrivateKey(privateKey))
  if (owner < 0) {
    throw new TlsFault('key', `${files.key} is not the key of the certificate in ${files.cert}; name the pair`)
  }
  if (owner > 0) {
    throw new TlsFault('cert', `certificate ${owner + 1} in ${files.cert} is the server's own; put it first`)
  }
  if (ca !== undefined) checkAuthorities(ca, files)
  try {
    createSecureContext({ cert, key, ca })
  } catch (error) {
    throw new TlsFault('cert', `${files.cert} cannot be served: ${reasonOf(error)}`)
  }
  const expires = leaf!.validToDate.getTime()
  const lifetime = expires - leaf!.validFromDate.getTime()
  return { cert, key, ca, expires, renewBefore: expires - Math.min(lifetime / 3, LATEST_RENEWAL_MS) }
}

async function read(files: TlsFiles, part: keyof TlsFiles): Promise<string> {
  const file = files[part]!
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read' : (code ?? 'error')
    throw new TlsFault(part, `${file}: ${why}; name a PEM file that this user may read`)
  }
  if (bytes.length > LARGEST) throw new TlsFault(part, `${file} is larger than ${LARGEST} bytes; name a PEM file`)
  return bytes.toString('latin1')
}

function certificatesIn(text: string, files: TlsFiles, part: keyof TlsFiles): readonly X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0) {
    throw new TlsFault(part, `${files[part]} holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)`)
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new TlsFault(part, `certificate ${index + 1} in ${files[part]} cannot be read; write the file anew`)
    }
  })
}

function checkAuthorities(text: string, files: TlsFiles): void {
  const other = certificatesIn(text, files, 'clientCa').find(({ ca }) => !ca)
  if (other === undefined) return
  const subject = other.subject.replaceAll('\n', ', ')
  throw new TlsFault(
    'clientCa',
    `${files.clientCa} holds ${subject}, which is no CA; name the CA that issues the clients'`,
  )
}

function privateKeyIn(text: string, { key: file }: TlsFiles): KeyObject {
  try {
    return createPrivateKey(text)
  } catch {
    const why = /ENCRYPTED/.test(text)
      ? 'is encrypted; write it without a passphrase'
      : 'holds no private key; it must be PEM'
    throw new TlsFault('key', `${file} ${why}`)
  }
}

/** OpenSSL's own words, such as `ee key too small`. */
function reasonOf(error: unknown): string {
  const { reason, code } = error as { reason?: string; code?: string }
  return reason ?? code ?? 'it is not usable'
}
