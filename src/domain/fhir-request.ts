// From the request line below a FHIR base (and, where it carries meaning, the body) to the interaction, the access that it
// requires, and the request that would go upstream, rebuilt from what was parsed: never the client's raw text (spec §0.1).

import {
  type Door,
  lookupAccess,
  type RequiredAccess,
  requiredAccess,
  type WrittenContent,
} from './decision/required-access.ts'
import { type BundleLimits, type BundleRequest, readBundle } from './fhir/bundle.ts'
import type { Definitions } from './fhir/definitions.ts'
import { type FhirRequestLine, type Interaction, isSearchByPost, parseInteraction } from './fhir/interaction.ts'
import { type PatchContent, readPatch } from './fhir/patch.ts'
import { printRequestPath, sentParameters } from './fhir/request-path.ts'
import { subscribedSearch } from './fhir/subscription.ts'
import { mediaType } from './http/media-type.ts'
import { refuseMethodOverride } from './http/method-override.ts'
import { type Parameter, printQuery, readForm } from './http/request-target.ts'
import { readStrictJson } from './json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from './refusal.ts'

export type { FhirRequestLine }

/**
 * What the body is for: `form`, `bundle`, `parameters`, `patch` and `subscription` are read whole before the decision, `resource` streams through a
 * check of its type and id, `stream` passes unread, `none` means that there must be none.
 */
export type BodyUse = 'none' | 'form' | 'bundle' | 'parameters' | 'patch' | 'subscription' | 'resource' | 'stream'

export interface FhirRequest {
  readonly interaction: Interaction
  readonly required: readonly RequiredAccess[]
  readonly method: string
  /** Decoded segments below the base. */
  readonly segments: readonly string[]
  /** What is sent on of query and form. */
  readonly parameters: readonly Parameter[]
  /** Path below the upstream's base, with query; starts with `/` or `?`, or is empty. */
  readonly path: string
  /** Replaces the client's body when present. */
  readonly body?: string
  /** Replaces the client's `If-None-Exist` when present. */
  readonly ifNoneExist?: string
  readonly bodyUse: BodyUse
  readonly patch?: PatchContent
  /** The entries of a batch or transaction, and what each requires: its own access, then that of its conditional references. */
  readonly bundle?: BundleRequest
  readonly entries?: readonly (readonly RequiredAccess[])[]
}

export function bodyUseOf({ method, segments }: FhirRequestLine): BodyUse {
  if (isSearchByPost(method, segments)) return 'form'
  if (method === 'POST' && segments.length === 0) return 'bundle'
  // What an export reaches stands in its parameters.
  if (method === 'POST' && segments.at(-1) === '$export') return 'parameters'
  // Binary takes any content as it is (R4 Binary §2.45.1); a patch is no resource.
  if (method === 'POST' || method === 'PUT') {
    if (segments[0] === 'Binary') return 'stream'
    // What it makes the server send out stands in it.
    return segments[0] === 'Subscription' && !segments.at(-1)!.startsWith('$') ? 'subscription' : 'resource'
  }
  return method === 'PATCH' ? 'patch' : 'none'
}

/** `body` is the text of a form, a Bundle, a patch or Parameters, and undefined for every other use of a body. */
export function readFhirRequest(
  line: FhirRequestLine,
  body: string | undefined,
  limits: BundleLimits,
  definitions: Definitions,
): FhirRequest | Refusal {
  const use = bodyUseOf(line)
  if (use === 'form') return searchByPost(line, body ?? '', limits.searchParameters, definitions)
  const interaction = parseInteraction(line, definitions)
  if (isRefusal(interaction)) return interaction
  if (use === 'bundle') return bundle(line, body ?? '', limits, definitions)
  const subscription = use === 'subscription' ? readStrictJson(body ?? 'null') : undefined
  if (subscription !== undefined && 'reason' in subscription) return refuse('body-invalid', 'The body is not JSON.')
  const patch = use === 'patch' ? patchIn(body, line, definitions) : undefined
  if (isRefusal(patch)) return patch
  const condition = interaction.code === 'create' && interaction.condition
  const parameters = sentParameters(interaction, line.parameters)
  return {
    interaction,
    required: requiredOf(interaction, 'rest', {
      subscribed: subscribedSearch(subscription?.value, definitions),
      patch,
    }),
    method: line.method,
    segments: line.segments,
    parameters,
    path: printRequestPath(line.segments, parameters),
    bodyUse: use,
    ...(READ_WHOLE.has(use) && body !== undefined ? { body } : {}),
    ...(patch === undefined ? {} : { patch }),
    ...(condition ? { ifNoneExist: printQuery(condition.parameters) } : {}),
  }
}

/** Without a body only the line is asked about, and nothing would be sent. */
function patchIn(body: string | undefined, line: FhirRequestLine, definitions: Definitions): PatchContent | Refusal {
  return body === undefined ? { lookups: [] } : readPatch(body, mediaType(line.contentType), definitions)
}

/** Read before the decision, and passed on as it came. */
const READ_WHOLE: ReadonlySet<BodyUse> = new Set(['parameters', 'patch', 'subscription'])

/** URL and form mean the same as one search and go on as one form (R4 http §search). */
function searchByPost(
  line: FhirRequestLine,
  body: string,
  maximumParameters: number,
  definitions: Definitions,
): FhirRequest | Refusal {
  const form = readForm(body, maximumParameters)
  if (form === undefined) return refuse('body-invalid', 'The form in the body holds a broken percent-encoding.')
  // RFC 6750 §2.2 lets a form carry a token, so to a server behind us this would be a second credential.
  if (form.some(({ name }) => name.toLowerCase() === 'access_token')) {
    return refuse('credential-ambiguous', 'The form holds an access token. Send it in the Authorization header only.')
  }
  const posing = refuseMethodOverride(form)
  if (posing !== undefined) return posing
  const parameters = [...line.parameters, ...form]
  if (parameters.length > maximumParameters) {
    return refuse('body-invalid', `URL and form together have more than ${maximumParameters} parameters. Send fewer.`)
  }
  const interaction = parseInteraction({ ...line, parameters }, definitions)
  if (isRefusal(interaction)) return interaction
  const sent = sentParameters(interaction, parameters)
  return {
    interaction,
    required: requiredOf(interaction, 'rest'),
    method: 'POST',
    segments: line.segments,
    parameters: sent,
    path: printRequestPath(line.segments, []),
    body: printQuery(sent),
    bodyUse: 'form',
  }
}

function bundle(
  line: FhirRequestLine,
  body: string,
  limits: BundleLimits,
  definitions: Definitions,
): FhirRequest | Refusal {
  const read = readBundle(body, limits, definitions)
  if (isRefusal(read)) return read
  const entries = read.entries.map(({ interaction, lookups, resource, patch }) => [
    ...requiredOf(interaction, 'bundle', { subscribed: subscribedSearch(resource, definitions), patch }),
    ...lookups.map(({ lookup }) => lookupAccess(lookup, interaction, 'bundle')),
  ])
  return {
    interaction: { code: read.code },
    required: [...entries.flatMap(([own]) => own ?? []), ...entries.flatMap(([, ...lookups]) => lookups)],
    entries,
    method: 'POST',
    segments: [],
    parameters: line.parameters,
    path: printRequestPath([], line.parameters),
    body: read.print(),
    bodyUse: 'bundle',
    bundle: read,
  }
}

/** An operation states no access here: its rule on the route does. */
function requiredOf(interaction: Interaction, door: Door, content?: WrittenContent): readonly RequiredAccess[] {
  switch (interaction.code) {
    case 'batch':
    case 'transaction':
    case 'capabilities':
    case 'operation':
      return []
    default:
      return [requiredAccess(interaction, door, content)]
  }
}
