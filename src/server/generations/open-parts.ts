// Opens what a configuration names outside of itself, before it is in force: the key file, revocations, the key sets in files, and what
// TLS towards upstreams needs. What is open already and named by the same settings goes on as it is.

import type { Issuer, Settings } from '../../config/settings.ts'
import type { Path } from '../../config/source/problem.ts'
import type { ApiKey } from '../../credentials/api-keys/api-key.ts'
import { type KeyFileNews, type KeyStore, openKeyStore } from '../../credentials/api-keys/key-store.ts'
import { readJsonFile } from '../../credentials/issuer-documents.ts'
import type { RevocationFile } from '../../credentials/revocation-file.ts'
import { RevocationError } from '../../credentials/revocation-lines.ts'
import { readVerificationKeys } from '../../credentials/verification-keys.ts'
import type { Log } from '../../observability/logger.ts'
import { readUpstreamTls, type UpstreamTls, UpstreamTlsError } from '../../proxy/upstream-tls.ts'
import type { Lease } from './keeper.ts'
import { openRevocations, type RevocationParts } from './open-revocations.ts'

export interface Opening {
  readonly log: Log
  /** API keys besides those of the key file, for this process only: the demo's. */
  readonly madeHere?: readonly ApiKey[]
}

export interface OpenedParts {
  /** Left out where the route map names no file of revocations. */
  readonly revocationFile?: RevocationFile
  /** Left out where the route map names no key file. */
  readonly keyStore?: KeyStore
  /** Of those upstreams that say something of TLS, by name. */
  readonly upstreamTls: ReadonlyMap<string, UpstreamTls>
}

/** What a key of the route map names cannot be used. */
export class PartError extends Error {
  readonly path: Path

  constructor(path: Path, message: string) {
    super(message)
    this.path = path
  }
}

/** Rejects with a KeyFileError when the key file is there and cannot be used, with a PartError for other files. */
export async function openParts(
  settings: Settings,
  lease: Lease,
  { log, madeHere }: Opening,
  lasting: RevocationParts,
): Promise<OpenedParts> {
  const { apiKeys, revocations, issuers } = settings
  await Promise.all(issuers.map(checkKeySetFile))
  const upstreamTls = await readAllTls(settings)
  const opening = revocations && openRevocations(revocations.file, lease, log, lasting).catch(failedRevocations)
  const revocationFile = opening && { revocationFile: await opening }
  if (apiKeys === undefined) return { upstreamTls, ...revocationFile }
  const { file } = apiKeys
  const open = (): Promise<KeyStore> =>
    openKeyStore({ file, madeHere: madeHere ?? [], onNews: (news) => logKeys(news, file, log) })
  const keyStore = await lease.opened('key store', file, open, (store) => store.close())
  return { upstreamTls, ...revocationFile, keyStore }
}

function failedRevocations(error: unknown): never {
  if (!(error instanceof RevocationError)) throw error
  throw new PartError(['revocations', 'file'], `the revocations cannot be read: ${error.message}`)
}

async function readAllTls({ upstreams }: Settings): Promise<Map<string, UpstreamTls>> {
  const read = new Map<string, UpstreamTls>()
  for (const { name, tls } of Object.values(upstreams)) {
    if (tls === undefined) continue
    try {
      read.set(name, await readUpstreamTls(tls))
    } catch (error) {
      if (!(error instanceof UpstreamTlsError)) throw error
      throw new PartError(['upstreams', name, 'tls', error.part], error.message)
    }
  }
  return read
}

async function checkKeySetFile({ jwksFile }: Issuer, index: number): Promise<void> {
  if (jwksFile === undefined) return
  try {
    readVerificationKeys(await readJsonFile(jwksFile))
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read'
    throw new PartError(['issuers', index, 'jwksFile'], `the key set in ${jwksFile} cannot be used: ${why}`)
  }
}

function logKeys(news: KeyFileNews, file: string, { logger }: Log): void {
  switch (news.state) {
    case 'read':
      logger.info({ file, count: news.content.length }, 'the key file was read')
      break
    case 'missing':
      logger.warn({ file }, 'there is no key file: no key counts until it appears')
      break
    case 'broken':
      logger.error({ file, problems: news.problems }, 'the key file is broken: the keys that were read before count on')
      break
  }
}
