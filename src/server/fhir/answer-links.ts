// The links of one Bundle as its reader may see them (contract §5): `self` is the search as the client asked it, pages are sealed for
// the client, everything else under the upstream's base comes out under the public one.

import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import type { Interaction } from '../../domain/fhir/interaction.ts'
import { printRequestPath } from '../../domain/fhir/request-path.ts'
import type { Grant } from '../../domain/grant.ts'
import { parseRequestTarget, printTarget } from '../../domain/http/request-target.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { BundleLinks } from '../../proxy/bundle-links.ts'
import type { PublicUrls } from '../../proxy/public-url.ts'
import type { Pages } from './pages.ts'

export interface LinkRules {
  readonly route: string
  readonly urls: PublicUrls
  readonly pages: Pages
  /** Whether page links are sealed. */
  readonly seals: boolean
  /** Where the upstream has the page at hand: a `next` that leads there would never end. */
  readonly page?: string
}

/** The links of the answer to a batch or transaction: each search in it has pages of its own. */
export function bundleAnswerLinks(
  interaction: Interaction,
  entries: readonly BundleEntry[],
  grant: Grant,
  rules: LinkRules,
): BundleLinks {
  return {
    ...answerLinks(interaction, [], grant, rules),
    nested: true,
    inner: (place) => {
      const entry = entries[place]
      return entry === undefined ? {} : entryLinks(entry, grant, rules)
    },
  }
}

export function entryLinks({ interaction, segments }: BundleEntry, grant: Grant, rules: LinkRules): BundleLinks {
  return answerLinks(interaction, segments.at(-1) === '_search' ? segments.slice(0, -1) : segments, grant, rules)
}

/** `asked` are the segments below the base on which the search was asked, without `_search`. */
export function answerLinks(
  interaction: Interaction,
  asked: readonly string[],
  grant: Grant,
  rules: LinkRules,
): BundleLinks {
  const { urls, pages, route, seals, page } = rules
  const parameters = 'search' in interaction ? interaction.search.parameters : undefined
  return {
    urls,
    self: parameters && urls.publicBase + printRequestPath(asked, parameters),
    sealPage: (relation, url) => {
      if (!seals) return urls.map(url)
      const path = pathOf(url, urls)
      if (path === undefined || (relation === 'next' && path === page)) return undefined
      const seal = pages.seal({ segments: asked, parameters: parameters ?? [], path }, route, grant)
      return `${urls.publicBase}/_page/${seal}`
    },
  }
}

/** Below the upstream's base, in canonical form; undefined for a link that leads elsewhere. */
export function pathOf(url: string, urls: PublicUrls): string | undefined {
  const mapped = urls.map(url)
  if (mapped === undefined || !mapped.startsWith(urls.publicBase)) return undefined
  const below = mapped.slice(urls.publicBase.length)
  if (below !== '' && !/^[/?]/.test(below)) return undefined
  const target = parseRequestTarget(below.startsWith('/') ? below : `/${below}`)
  if (isRefusal(target)) return undefined
  return below.startsWith('/') ? printTarget(target) : printTarget(target).slice(1)
}
