// A write, single or as entries of a Bundle, as it goes upstream: unlimited ones as they came, the others checked first and made
// conditional on what was checked (docs/decisions/0008).

import type { Constraint } from '../domain/constraint/constraint.ts'
import type { BundleEntry, EntryChange } from '../domain/fhir/bundle.ts'
import type { Write } from '../domain/fhir/interaction.ts'
import { printRequestPath } from '../domain/fhir/request-path.ts'
import type { FhirRequest } from '../domain/fhir-request.ts'
import { mediaType } from '../domain/http/media-type.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { isJsonObject, type Json, readStrictJson } from '../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { type CheckedWrite, checkWrite, type WriteQuestion, type WriteRules } from './write-check.ts'

/** A single write within constraints, with the conditions that keep it there. */
export interface ConditionalWrite {
  readonly path: string
  readonly body: string | undefined
  readonly overrides: ReadonlyMap<string, string>
}

const JSON_PATCH = 'application/json-patch+json'

export async function planWrite(
  request: FhirRequest & { readonly interaction: Write },
  constraint: Constraint,
  headers: RequestHeaders,
  body: string,
  rules: WriteRules,
): Promise<ConditionalWrite | Refusal> {
  const { interaction } = request
  const content =
    interaction.code === 'delete' ? {} : contentOf(interaction, body, mediaType(headers.get('content-type')))
  if (isRefusal(content)) return content
  const checked = await checkWrite({ interaction, constraint, ifMatch: headers.get('if-match'), ...content }, rules)
  if (isRefusal(checked)) return checked
  const { id, ifMatch, ifNoneMatch, ifNoneExist } = checked
  const overrides = new Map<string, string>()
  if (ifMatch !== undefined) overrides.set('if-match', ifMatch)
  if (ifNoneMatch !== undefined) overrides.set('if-none-match', ifNoneMatch)
  if (ifNoneExist !== undefined) overrides.set('if-none-exist', ifNoneExist)
  const path = id === undefined ? request.path : printRequestPath([interaction.type, id], [])
  return { path, body: interaction.code === 'delete' ? undefined : withId(interaction, content, body, id), overrides }
}

type Content = Pick<WriteQuestion, 'resource' | 'patch'>

function contentOf({ code }: Write, body: string, type: string): Content | Refusal {
  if (code === 'patch' && type !== JSON_PATCH) return {}
  const document = readStrictJson(body)
  if ('reason' in document) {
    return refuse(
      'body-invalid',
      `The body is no JSON that can be read: ${document.reason} at character ${document.at}.`,
    )
  }
  const { value } = document
  if (code === 'patch') return Array.isArray(value) ? { patch: value } : {}
  return isJsonObject(value) ? { resource: value } : {}
}

/** An update whose condition was resolved goes to an id, so the resource must say it. */
function withId({ code }: Write, { resource }: Content, body: string, id: string | undefined): string {
  if (code !== 'update' || id === undefined || resource?.['id'] !== undefined) return body
  return body.replace('{', `{"id":${JSON.stringify(id)},`)
}

/** A write among the entries of a Bundle: what must be added to its request. */
export async function checkEntry(
  entry: BundleEntry & { readonly interaction: Write },
  constraint: Constraint,
  rules: WriteRules,
): Promise<EntryChange | Refusal> {
  const { interaction, ifMatch } = entry
  const checked = await checkWrite({ interaction, constraint, ifMatch, ...entryContent(entry) }, rules)
  if (isRefusal(checked)) return checked
  return unfit(checked, entry) ?? changeOf(checked, interaction.type)
}

/** A patch comes as a Binary (R4 http §transaction); only a JSON Patch can be checked. */
function entryContent({ interaction, resource }: BundleEntry): Content {
  if (interaction.code !== 'patch') return resource === undefined ? {} : { resource }
  const { resourceType, contentType, data } = resource ?? {}
  if (resourceType !== 'Binary' || contentType !== JSON_PATCH || typeof data !== 'string') return {}
  const document = readStrictJson(Buffer.from(data, 'base64').toString())
  return 'value' in document && Array.isArray(document.value) ? { patch: document.value as readonly Json[] } : {}
}

/** What a single request could still be given, an entry of a Bundle must bring along. */
function unfit({ id, ifMatch, ifNoneMatch }: CheckedWrite, entry: BundleEntry): Refusal | undefined {
  if (entry.ifNoneMatch !== undefined && (ifMatch !== undefined || ifNoneMatch !== undefined)) {
    return refuse(
      'body-invalid',
      'request.ifNoneMatch cannot be kept together with what the limits of the scopes need.',
    )
  }
  if (id === undefined || entry.interaction.code !== 'update' || entry.resource?.['id'] === id) return undefined
  return refuse('constraint-unenforceable', 'a conditional update within limits must name the id of the resource.')
}

function changeOf({ id, ifMatch, ifNoneMatch, ifNoneExist }: CheckedWrite, type: string): EntryChange {
  return {
    ...(id === undefined ? {} : { url: `${type}/${id}` }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
  }
}
