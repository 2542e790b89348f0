// How many connections this process can have: every one is an open file, to clients as to upstreams, and where there are none left the
// requests of those inside fail too. Node raises the limit of open files to what the system allows by itself.

import { readFileSync } from 'node:fs'
import type { Settings } from '../../config/settings.ts'

const MOST_CONNECTIONS = 16_384
/** The admin port, files, pipes, and what else has no count of its own. */
const SPARE_FILES = 512
/** Where the system does not tell. */
const USUAL_FILES = 10_240

export function mostConnections({ server, upstreams }: Settings, files = openFilesLimit() ?? USUAL_FILES): number {
  const wanted = server.limits.connections ?? MOST_CONNECTIONS
  const upstream = Object.values(upstreams).reduce((sum, { connections, url }) => sum + connections * url.length, 0)
  // A quarter at least, however many connections upstreams may have: they rarely have all of them.
  const left = Math.max(files - SPARE_FILES - upstream, Math.floor(files / 4), 1)
  return Math.min(wanted, left)
}

/** Linux tells it; undefined elsewhere. */
function openFilesLimit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}
