// Reading a Binary within limits: its JSON is asked for first and proves that it may be read; then the client gets it in the form that
// it wants, native content included, as long as it is the version that was proved.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { Interaction } from '../../domain/fhir/interaction.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import { isJsonObject, type JsonObject, readStrictJson } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { notFound, unreadable } from '../../proxy/guarded-resource.ts'
import type { Edge, Plan } from '../endpoint.ts'
import { mayReadBinary } from './binary-access.ts'

type BinaryRead = Extract<Interaction, { code: 'read' | 'vread' }>

export function isBinaryRead(interaction: Interaction): interaction is BinaryRead {
  return (interaction.code === 'read' || interaction.code === 'vread') && interaction.type === 'Binary'
}

export async function planBinary(
  { method, path, segments, interaction }: FhirRequest,
  constraint: Constraint,
  edge: Edge,
): Promise<Plan | Refusal> {
  const { id } = interaction as BinaryRead
  const answer = await edge.ask(segments.map((segment) => `/${segment}`).join(''))
  if (isRefusal(answer)) return answer
  const binary = answer.status === 200 ? resourceIn(answer.body) : undefined
  if (binary?.['resourceType'] !== 'Binary' || binary['id'] !== id) return notFound()
  const opens = await mayReadBinary(binary, id, constraint, edge.ask)
  if (isRefusal(opens)) return opens
  if (!opens) return notFound()
  const { etag } = answer
  // Without a version, what comes next need not be what was looked at.
  if (etag === undefined)
    return refuse('constraint-unenforceable', 'The server behind this route gives a Binary no version to check it by.')
  return {
    method,
    path,
    bodyUse: 'none',
    overrides: new Map(CONDITIONS),
    transform(status, headers) {
      if (status === 404 || status === 410) return notFound()
      if (status !== 200) return unreadable()
      return headers['etag'] === etag
        ? undefined
        : refuse('version-conflict', 'The Binary changed while it was checked.')
    },
    readsAnswer: false,
  }
}

const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-range', 'range', 'prefer'].map(
  (name): [string, undefined] => [name, undefined],
)

function resourceIn(body: Buffer): JsonObject | undefined {
  const document = readStrictJson(body.toString())
  return 'value' in document && isJsonObject(document.value) ? document.value : undefined
}
