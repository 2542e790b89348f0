// Opens the revocations file that the route map names, for as long as a generation names it. One that is not there, or cannot be read,
// refuses the configuration: a gateway that lost its revocations would let revoked tokens in.

import { openRevocationFile, type RevocationFile } from '../../credentials/revocation-file.ts'
import type { RevocationList } from '../../credentials/revocation-list.ts'
import type { Revocations } from '../../credentials/revocations.ts'
import type { FileNews } from '../../credentials/watched-file.ts'
import type { Log } from '../../observability/logger.ts'
import type { Lease } from './keeper.ts'

export interface RevocationParts {
  readonly revocations: Revocations
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Rejects with a RevocationError. */
export function openRevocations(
  file: string,
  lease: Lease,
  log: Log,
  { revocations, now }: RevocationParts,
): Promise<RevocationFile> {
  const open = (): Promise<RevocationFile> =>
    openRevocationFile({ file, revocations, now, onNews: (news) => logNews(news, file, log) })
  return lease.opened('revocations', file, open, (opened) => opened.close())
}

function logNews(news: FileNews<RevocationList>, file: string, { logger }: Log): void {
  switch (news.state) {
    case 'read':
      logger.info({ file, count: news.content.size }, 'the revocations were read')
      break
    case 'missing':
      logger.error({ file }, 'the file of revocations is gone: what was read before counts on')
      break
    case 'broken':
      logger.error(
        { file, problems: news.problems },
        'the file of revocations is broken: what was read before counts on',
      )
      break
  }
}
