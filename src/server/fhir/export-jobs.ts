// A running export as its client knows it (contract §5): `{base}/_export/{seal}` for its status and for each of its files. The seal says
// what was asked, so that today's grant can be asked again whether it covers all of it, and where the upstream has it.

import type { GrantFacts } from '../../domain/grant.ts'
import { parseRequestTarget, printTarget } from '../../domain/http/request-target.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { PublicUrls } from '../../proxy/public-url.ts'
import type { Seals } from './seals.ts'

export const EXPORT_SEGMENT = '_export'

/** Where the upstream has something: below its base, or beside it on the same origin. */
export interface UpstreamPlace {
  readonly path: string
  readonly atOrigin: boolean
}

export interface ExportJob extends UpstreamPlace {
  /** `deleted` are files that name what is no longer there. */
  readonly part: 'status' | 'file' | 'deleted'
  /** Segments below the base on which it was started. */
  readonly segments: readonly string[]
  /** What it was cleared for. */
  readonly types: '*' | readonly string[]
  /** The kick-off as the client asked for it, below the base; without its query where that is long. */
  readonly request: string
}

export interface ExportJobs {
  /** The public URL; undefined where the upstream names another server. */
  urlOf(upstreamUrl: string, job: Omit<ExportJob, keyof UpstreamPlace>, grant: GrantFacts): string | undefined
  /** Undefined for whatever is not a seal of ours, too old, or made for somebody else. */
  open(seal: string, grant: GrantFacts): ExportJob | undefined
}

/** Exports take hours, and their files are fetched later still. */
const LIFETIME_MS = 7 * 86_400_000
/** The seal must fit into a request target. */
const LONGEST_URL = 8_000

export function createExportJobs(route: string, urls: PublicUrls, seals: Seals): ExportJobs {
  return {
    urlOf(upstreamUrl, job, grant) {
      const place = placeOf(upstreamUrl, urls)
      if (place === undefined) return undefined
      const url = `${urls.publicBase}/${EXPORT_SEGMENT}/${seals.seal('export', { ...job, ...place }, LIFETIME_MS, route, grant)}`
      return url.length > LONGEST_URL ? undefined : url
    },
    open: (seal, grant) => seals.open('export', seal, route, grant) as ExportJob | undefined,
  }
}

function placeOf(url: string, urls: PublicUrls): UpstreamPlace | undefined {
  const mapped = urls.map(url)
  const below = mapped?.startsWith(urls.publicBase) ? mapped.slice(urls.publicBase.length) : undefined
  if (below !== undefined && /^\/[^/]/.test(below)) return canonical(below, false)
  const beside = urls.besideBase(url)
  return beside === undefined ? undefined : canonical(beside, true)
}

function canonical(path: string, atOrigin: boolean): UpstreamPlace | undefined {
  const target = parseRequestTarget(path)
  return isRefusal(target) ? undefined : { path: printTarget(target), atOrigin }
}
