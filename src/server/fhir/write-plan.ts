// A single write as it goes upstream: within no limits as it came, streamed; otherwise read, checked against what is stored, and made
// conditional on what was checked (docs/decisions/0008). Either way writing gives no reading (spec §2.7).

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { queriesOf } from '../../domain/fhir/conditional-reference.ts'
import type { Write } from '../../domain/fhir/interaction.ts'
import { printRequestPath } from '../../domain/fhir/request-path.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import { refuseUnlessJson } from '../../domain/http/media-type.ts'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { isJsonObject, readStrictJson } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { BodyInspection } from '../../proxy/request-body.ts'
import { inspectResource } from '../../proxy/resource-inspection.ts'
import type { Edge, LookAgain, Plan } from '../endpoint.ts'
import { isConflict, preferredReturn, type ReadBack, tellsWords, writeAnswer } from './write-answers.ts'
import { type CheckedWrite, checkWrite, type WriteQuestion, type WriteRules } from './write-check.ts'

export interface WritePlanning {
  readonly headers: RequestHeaders
  /** What the caller may read of what it writes. */
  readonly back: () => ReadBack
  /** The most that is held at once, in bytes. */
  readonly guard: { readonly mostHeld: number }
  readonly writes: Omit<WriteRules, 'ask'>
  /** Whether the caller may make the search that a reference stands for. */
  readonly refuseQuery: (text: string) => Refusal | undefined
}

export type SingleWrite = FhirRequest & { readonly interaction: Write }

/** Streams to the upstream while its type and id are checked. */
export function planOpenWrite(
  request: SingleWrite,
  { headers, back, guard, refuseQuery }: WritePlanning,
): Plan | Refusal {
  const { interaction, bodyUse, method, path, ifNoneExist, body } = request
  const inspect = () => inspectResource({ ...expected(interaction), refuseQuery })
  const refusal =
    bodyUse === 'resource'
      ? refuseUnlessJson(headers)
      : bodyUse === 'subscription'
        ? inspectWhole(body ?? '', inspect())
        : undefined
  if (isRefusal(refusal)) return refusal
  const readable = back()
  const overrides = new Map<string, string | undefined>()
  if (!readable.all(interaction.type))
    overrides.set('prefer', preferredReturn([interaction.type], readable, headers.get('prefer')))
  if (ifNoneExist !== undefined) overrides.set('if-none-exist', ifNoneExist)
  return {
    method,
    path,
    bodyUse,
    body,
    overrides,
    ...(bodyUse === 'resource' ? { inspect } : {}),
    transform: writeAnswer(
      interaction,
      readable,
      { limited: false, words: tellsWords(interaction, readable) },
      guard.mostHeld,
    ),
    readsAnswer: !readable.all(interaction.type),
  }
}

export async function planLimitedWrite(
  request: SingleWrite,
  constraint: Constraint,
  planning: WritePlanning,
  edge: Edge,
): Promise<Plan | Refusal> {
  const { headers, writes } = planning
  const { interaction, bodyUse } = request
  const refusal = bodyUse === 'resource' ? refuseUnlessJson(headers) : undefined
  if (refusal !== undefined) return refusal
  if (interaction.type === 'Binary')
    return refuse('constraint-unenforceable', 'A Binary shows nothing by which limits of scopes could be checked.')
  const body = interaction.code === 'delete' ? '' : (request.body ?? (await edge.body()))
  if (isRefusal(body)) return body
  const content = contentOf(request, body)
  if (isRefusal(content)) return content
  for (const text of queriesOf(content.resource ?? null)) {
    const unsearchable = planning.refuseQuery(text)
    if (unsearchable !== undefined) return unsearchable
  }
  const ifMatch = headers.get('if-match')
  const question = { interaction, constraint, ifMatch, ...content }
  const look = async (): Promise<Plan | Refusal> => {
    const checked = await checkWrite(question, { ...writes, ask: edge.ask })
    return isRefusal(checked) ? checked : checkedPlan(request, body, question, checked, planning, look)
  }
  return look()
}

function checkedPlan(
  request: SingleWrite,
  body: string,
  question: WriteQuestion,
  { id, ifMatch, ifNoneMatch, ifNoneExist, isReadable }: CheckedWrite,
  { headers, back, guard }: WritePlanning,
  look: LookAgain['look'],
): Plan {
  const { interaction } = request
  const readable = back()
  const creates = interaction.code === 'update' && ifNoneExist !== undefined
  // A client that makes a condition itself is told that it does not hold.
  const isConditional = !makesCondition(headers) && (creates || (ifMatch ?? ifNoneMatch) !== undefined)
  // Where it was to be made, finding one means that it was not updated.
  const after = (status: number): boolean => isConflict(status) || (creates && status === 200)
  return {
    method: creates ? 'POST' : request.method,
    path:
      id !== undefined || creates
        ? printRequestPath([interaction.type, ...(id === undefined ? [] : [id])], [])
        : request.path,
    bodyUse: 'none',
    body: interaction.code === 'delete' ? undefined : withId(question, body, id),
    overrides: new Map([
      ['prefer', preferredReturn([interaction.type], readable, headers.get('prefer'))],
      ['accept', 'application/fhir+json'],
      ...Object.entries({ 'if-match': ifMatch, 'if-none-match': ifNoneMatch, 'if-none-exist': ifNoneExist }).filter(
        (field): field is [string, string] => field[1] !== undefined,
      ),
    ]),
    transform: writeAnswer(interaction, readable, { limited: true, words: isReadable }, guard.mostHeld),
    readsAnswer: true,
    ...(isConditional ? { again: { after, look } } : {}),
  }
}

/** `If-Match: *` holds for whatever is stored by then. */
function makesCondition(headers: RequestHeaders): boolean {
  const ifMatch = headers.get('if-match') ?? '*'
  return (
    ifMatch.trim() !== '*' || ['if-none-match', 'if-unmodified-since'].some((name) => headers.get(name) !== undefined)
  )
}

type Content = Pick<WriteQuestion, 'resource' | 'patch'>

function contentOf({ interaction: { code }, patch }: SingleWrite, body: string): Content | Refusal {
  if (code === 'delete') return {}
  if (code === 'patch') return patch === undefined ? {} : { patch }
  const document = readStrictJson(body, { caseless: true })
  if ('reason' in document) {
    return refuse(
      'body-invalid',
      `The body is no JSON that can be read: ${document.reason} at character ${document.at}.`,
    )
  }
  const { value } = document
  return isJsonObject(value) ? { resource: value } : {}
}

/** An update whose condition was resolved goes to an id, so the resource must say it. */
function withId({ interaction, resource }: WriteQuestion, body: string, id: string | undefined): string {
  if (interaction.code !== 'update' || id === undefined || resource?.['id'] !== undefined) return body
  return body.replace('{', () => `{"id":${JSON.stringify(id)},`)
}

function inspectWhole(body: string, inspection: BodyInspection): Refusal | undefined {
  return inspection.write(Buffer.from(body)) ?? inspection.end()
}

function expected(interaction: Write): { type?: string; id?: string } {
  const { type } = interaction
  return 'id' in interaction && interaction.id !== undefined ? { type, id: interaction.id } : { type }
}
