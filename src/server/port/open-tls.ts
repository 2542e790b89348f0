// Opens TLS for the two ports from what the route map says, and tells log and metrics when the files change, cannot be used, or hold a
// certificate that clients will soon refuse, and why handshakes come to nothing.

import type { Server } from '../../config/settings.ts'
import type { Path } from '../../config/source/problem.ts'
import type { Log } from '../../observability/logger.ts'
import type { Metrics } from '../../observability/metrics.ts'
import { PartError } from '../generations/open-parts.ts'
import { checkTlsFiles, readTlsFiles, TlsFault, type TlsFiles } from './tls-files.ts'
import { openTlsIdentity, type TlsNews } from './tls-identity.ts'
import type { TlsRefusal } from './tls-refusal.ts'
import type { ClientCertificates, TlsPort } from './tls-server.ts'

export interface TlsHearers {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'tlsRefused' | 'tlsCertificate'>
}

type Port = 'public' | 'admin'

const MINUTE_MS = 60_000

interface Wanted {
  readonly files: TlsFiles
  readonly clientCertificates: ClientCertificates
  placeOf(part: keyof TlsFiles): Path
}

/** Before anything is opened: whether the files of both ports can be used. Rejects with a PartError. */
export async function checkTls(server: Server): Promise<void> {
  for (const wanted of [wantedOnPublic(server), wantedOnAdmin(server)]) {
    if (wanted === undefined) continue
    const { files } = wanted
    await placed(wanted, async () => checkTlsFiles(await readTlsFiles(files), files))
  }
}

/** Undefined: plain HTTP. Rejects with a PartError. */
export async function openPublicTls(server: Server, hear: TlsHearers): Promise<TlsPort | undefined> {
  return open('public', wantedOnPublic(server), hear)
}

/** Undefined: plain HTTP. Rejects with a PartError. */
export async function openAdminTls(server: Server, hear: TlsHearers): Promise<TlsPort | undefined> {
  return open('admin', wantedOnAdmin(server), hear)
}

function wantedOnPublic({ tls }: Server): Wanted | undefined {
  if (tls === undefined) return undefined
  const clientCertificates = tls.clientCa === undefined ? 'none' : tls.clientCertificates
  return { files: tls, clientCertificates, placeOf: () => ['server', 'tls'] }
}

/** Client certificates are optional there, because health and metrics are open. */
function wantedOnAdmin({ tls, admin }: Server): Wanted | undefined {
  const { clientCa } = admin
  const pair = admin.tls ?? (clientCa === undefined ? undefined : tls)
  if (pair === undefined) return undefined
  return {
    files: { cert: pair.cert, key: pair.key, clientCa },
    clientCertificates: clientCa === undefined ? 'none' : 'optional',
    placeOf: (part) =>
      part === 'clientCa' ? ['server', 'admin'] : admin.tls ? ['server', 'admin', 'tls'] : ['server', 'tls'],
  }
}

async function open(port: Port, wanted: Wanted | undefined, hear: TlsHearers): Promise<TlsPort | undefined> {
  if (wanted === undefined) return undefined
  const { files, clientCertificates } = wanted
  const identity = await placed(wanted, () => openTlsIdentity({ files, onNews: tellNews(port, hear) }))
  return { identity, clientCertificates, onRefused: tellRefusals(port, hear) }
}

async function placed<Result>({ placeOf }: Wanted, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use()
  } catch (error) {
    if (error instanceof TlsFault) throw new PartError([...placeOf(error.part), error.part], error.message)
    throw error
  }
}

function tellNews(port: Port, { log: { logger }, metrics }: TlsHearers): (news: TlsNews) => void {
  return (news) => {
    if (news.state === 'broken') {
      logger.error({ port, problem: news.problem }, 'the TLS files cannot be used: what was read before is served on')
      return
    }
    const facts = { port, expires: new Date(news.expires).toISOString() }
    metrics.tlsCertificate(port, news.expires)
    if (news.state === 'read') logger.info(facts, 'the TLS files were read')
    else logger.warn(facts, 'the TLS certificate ends soon, or has ended: renew it')
  }
}

/** A port that is scanned must not fill the log. */
function tellRefusals(port: Port, { log: { logger }, metrics }: TlsHearers): (refusal: TlsRefusal) => void {
  const told = new Map<string, number>()
  return ({ reason, code }) => {
    metrics.tlsRefused(port, reason)
    const now = Date.now()
    if (reason === 'left' || now < (told.get(reason) ?? 0) + MINUTE_MS) return
    told.set(reason, now)
    logger.warn({ port, reason, code }, 'a TLS handshake was refused; the next ones are only counted for a minute')
  }
}
