// Who the gateway is in TLS, kept up to date: the files are read again each second, by name, because that sees what events miss:
// renamed files, and the symbolic links that Kubernetes swaps. What cannot be served changes nothing: the last good pair is
// served on, and that is said once. INVARIANT: a session begun under an older CA cannot be resumed under a newer one, because each
// context has ticket keys of its own.

import { constants } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import { checkTlsFiles, readTlsFiles, TlsFault, type TlsFiles, type TlsMaterial, type TlsTexts } from './tls-files.ts'

export type TlsNews =
  | { readonly state: 'read'; readonly expires: number }
  /** The certificate should have been renewed by now; it may have ended. */
  | { readonly state: 'ending'; readonly expires: number }
  /** `problem` names files, never what they hold. */
  | { readonly state: 'broken'; readonly problem: string }

export interface TlsIdentity {
  /** For a new server. */
  options(): TlsOptions
  /** Tells of every later pair: everything but what only a new server can take. */
  onChange(take: (options: TlsOptions) => void): void
  /** Reads the files now; never rejects. */
  look(): Promise<void>
  close(): void
}

export interface TlsIdentityOptions {
  readonly files: TlsFiles
  readonly onNews?: (news: TlsNews) => void
  /** Milliseconds between two looks. */
  readonly interval?: number
}

const LOOK_EVERY_MS = 1_000
/** Forward secrecy and authenticated encryption only; TLS 1.3 first. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** Rejects with a `TlsFault` where there is nothing to begin with. */
export async function openTlsIdentity({
  files,
  onNews,
  interval = LOOK_EVERY_MS,
}: TlsIdentityOptions): Promise<TlsIdentity> {
  let texts = await readTlsFiles(files)
  let material = checkTlsFiles(texts, files)
  /** Of the last look; told when it is there twice, because files that belong together do not change at once. */
  let problem = ''
  let told = ''
  let looking: Promise<void> | undefined
  const takers: ((options: TlsOptions) => void)[] = []

  let warned = false
  function watchEnd(): void {
    if (warned || Date.now() < material.renewBefore) return
    warned = true
    onNews?.({ state: 'ending', expires: material.expires })
  }

  async function readAgain(): Promise<void> {
    try {
      take(await readTlsFiles(files))
    } catch (error) {
      const now = error instanceof TlsFault ? error.message : 'the files of TLS cannot be used'
      if (now === problem && now !== told) {
        told = now
        onNews?.({ state: 'broken', problem })
      }
      problem = now
    }
  }

  function take(read: TlsTexts): void {
    const changed = read.cert !== texts.cert || read.key !== texts.key || read.clientCa !== texts.clientCa
    if (changed) {
      material = checkTlsFiles(read, files)
      texts = read
      warned = false
      for (const taker of takers) taker(optionsOf(material))
    }
    if (changed || told !== '') onNews?.({ state: 'read', expires: material.expires })
    problem = ''
    told = ''
  }

  function look(): Promise<void> {
    looking ??= readAgain().finally(() => {
      looking = undefined
      watchEnd()
    })
    return looking
  }

  onNews?.({ state: 'read', expires: material.expires })
  watchEnd()
  const timer = setInterval(look, interval).unref()
  return {
    options: () => optionsOf(material),
    onChange: (taker) => void takers.push(taker),
    look,
    close: () => clearInterval(timer),
  }
}

function optionsOf({ cert, key, ca }: TlsMaterial): TlsOptions {
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // A renegotiation costs the server far more than the client.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  }
}
