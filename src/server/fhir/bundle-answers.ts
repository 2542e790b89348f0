// How the answers that are Bundles are passed on when nothing in them has to be checked: as they stream, with their links rewritten
// (contract §1). An answer that cannot be read for that is refused, because it would show the upstream.

import type { Interaction } from '../../domain/fhir/interaction.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import type { Grant } from '../../domain/grant.ts'
import { isJsonType, mediaType } from '../../domain/http/media-type.ts'
import type { Refusal } from '../../domain/refusal.ts'
import { bundleLinks } from '../../proxy/bundle-links.ts'
import type { AnswerHeaders, BodyTransform } from '../../proxy/forward.ts'
import { unreadable } from '../../proxy/guarded-resource.ts'
import { answerLinks, bundleAnswerLinks, type LinkRules } from './answer-links.ts'

/** What to do with an answer's body: rewrite it, leave it, or refuse the answer. */
export type Transform = (grant: Grant, status: number, headers: AnswerHeaders) => BodyTransform | Refusal | undefined

export function rewriteLinks(
  { interaction, bundle }: FhirRequest,
  asked: readonly string[],
  rules: LinkRules,
): Transform {
  return (grant, status, headers) => {
    if (!hasBody(status, headers)) return undefined
    if (!isJson(headers)) return status < 400 ? unreadable() : undefined
    return bundleLinks(
      bundle === undefined
        ? answerLinks(interaction, asked, grant, rules)
        : bundleAnswerLinks(interaction, bundle.entries, grant, rules),
    )
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

export function hasBody(status: number, headers: AnswerHeaders): boolean {
  return status !== 204 && status !== 304 && headers['content-length'] !== '0'
}

export function isJson(headers: AnswerHeaders): boolean {
  const type = headers['content-type']
  return isJsonType(mediaType(typeof type === 'string' ? type : type?.[0]))
}
