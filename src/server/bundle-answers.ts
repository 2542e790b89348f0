// How the answers that are Bundles are passed on (contract §1, §5): their links are rewritten as they stream, and page links sealed
// for the caller. An answer that cannot be read for that is refused, because it would show the upstream.

import type { FhirRoute } from '../config/settings.ts'
import type { Interaction } from '../domain/fhir/interaction.ts'
import type { FhirRequest } from '../domain/fhir-request.ts'
import type { Grant } from '../domain/grant.ts'
import { isJsonType, mediaType } from '../domain/http/media-type.ts'
import { parseRequestTarget, printQuery, printTarget } from '../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { bundleLinks } from '../proxy/bundle-links.ts'
import type { AnswerHeaders, BodyTransform } from '../proxy/forward.ts'
import type { PublicUrls } from '../proxy/public-url.ts'
import type { Pages } from './pages.ts'

export interface BundleAnswersOptions {
  readonly route: Pick<FhirRoute, 'name' | 'sealPages'>
  readonly urls: PublicUrls
  readonly pages: Pages
  /** The upstream writes the public base by itself. */
  readonly writesPublicBase: boolean
}

/** What to do with an answer's body: rewrite it, leave it, or refuse the answer. */
export type Transform = (grant: Grant, status: number, headers: AnswerHeaders) => BodyTransform | Refusal | undefined

export interface BundleAnswers {
  /** Whether answers are read at all. */
  readonly active: boolean
  /** `searched` are the segments below the base that the search was asked on. */
  of(request: FhirRequest, searched: readonly string[]): Transform
}

export function compileBundleAnswers({ route, urls, pages, writesPublicBase }: BundleAnswersOptions): BundleAnswers {
  const { publicBase } = urls
  return {
    active: !(writesPublicBase && !route.sealPages),
    of: (request, searched) => (grant, status, headers) => {
      if (!hasBody(status, headers)) return undefined
      if (!isJsonType(mediaType(textOf(headers['content-type'])))) return status < 400 ? unreadable() : undefined
      const { interaction } = request
      const parameters = 'search' in interaction ? interaction.search.parameters : undefined
      const query = parameters === undefined || parameters.length === 0 ? '' : `?${printQuery(parameters)}`
      return bundleLinks({
        urls,
        self: parameters && publicBase + searched.map((segment) => `/${segment}`).join('') + query,
        sealPage: (_relation, url) => {
          if (!route.sealPages) return urls.map(url)
          const path = pathOf(url, urls)
          if (path === undefined) return undefined
          const seal = pages.seal({ segments: searched, parameters: parameters ?? [], path }, route.name, grant)
          return `${publicBase}/_page/${seal}`
        },
        nested: interaction.code === 'batch' || interaction.code === 'transaction',
      })
    },
  }
}

/** Interactions whose answer is a Bundle. */
export function answersWithBundle({ code }: Interaction): boolean {
  return (
    code.startsWith('search') ||
    code.startsWith('history') ||
    code === 'batch' ||
    code === 'transaction' ||
    code === 'operation'
  )
}

/** Below the upstream's base, in canonical form; undefined for a link that leads elsewhere. */
function pathOf(url: string, urls: PublicUrls): string | undefined {
  const mapped = urls.map(url)
  if (mapped === undefined || !mapped.startsWith(urls.publicBase)) return undefined
  const below = mapped.slice(urls.publicBase.length)
  if (below !== '' && !/^[/?]/.test(below)) return undefined
  const target = parseRequestTarget(below.startsWith('/') ? below : `/${below}`)
  if (isRefusal(target)) return undefined
  return below.startsWith('/') ? printTarget(target) : printTarget(target).slice(1)
}

function hasBody(status: number, headers: AnswerHeaders): boolean {
  return status !== 204 && status !== 304 && headers['content-length'] !== '0'
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}

function unreadable(): Refusal {
  return refuse(
    'upstream-broken',
    'The server behind this route answered in another format than JSON, which cannot be passed on here.',
  )
}
