// Opens the identities of the two ports from what the route map says, and tells the log when their files change, cannot be used, or
// hold a certificate that clients will soon refuse.

import type { Server } from '../config/settings.ts'
import type { Path } from '../config/source/problem.ts'
import type { Log } from '../observability/logger.ts'
import { PartError } from './open-parts.ts'
import { TlsFault, type TlsFiles } from './tls-files.ts'
import { openTlsIdentity, type TlsIdentity, type TlsNews } from './tls-identity.ts'
import type { TlsPort } from './tls-server.ts'

/** Undefined: plain HTTP. Rejects with a PartError. */
export async function openPublicTls({ tls }: Server, log: Log): Promise<TlsPort | undefined> {
  if (tls === undefined) return undefined
  const clientCertificates = tls.clientCa === undefined ? 'none' : tls.clientCertificates
  return { identity: await open('public', tls, () => ['server', 'tls'], log), clientCertificates }
}

/** Client certificates are optional there, because health and metrics are open. Rejects with a PartError. */
export async function openAdminTls({ tls, admin }: Server, log: Log): Promise<TlsPort | undefined> {
  const { clientCa } = admin
  const pair = admin.tls ?? (clientCa === undefined ? undefined : tls)
  if (pair === undefined) return undefined
  const placeOf = (part: keyof TlsFiles): Path =>
    part === 'clientCa' ? ['server', 'admin'] : admin.tls ? ['server', 'admin', 'tls'] : ['server', 'tls']
  const files = { cert: pair.cert, key: pair.key, clientCa }
  return {
    identity: await open('admin', files, placeOf, log),
    clientCertificates: clientCa === undefined ? 'none' : 'optional',
  }
}

async function open(
  port: string,
  files: TlsFiles,
  placeOf: (part: keyof TlsFiles) => Path,
  { logger }: Log,
): Promise<TlsIdentity> {
  const onNews = (news: TlsNews): void => {
    if (news.state === 'broken') {
      logger.error({ port, problem: news.problem }, 'the TLS files cannot be used: what was read before is served on')
      return
    }
    const facts = { port, expires: new Date(news.expires).toISOString() }
    if (news.state === 'read') logger.info(facts, 'the TLS files were read')
    else logger.warn(facts, 'the TLS certificate ends soon, or has ended: renew it')
  }
  try {
    return await openTlsIdentity({ files, onNews })
  } catch (error) {
    if (error instanceof TlsFault) throw new PartError([...placeOf(error.part), error.part], error.message)
    throw error
  }
}
