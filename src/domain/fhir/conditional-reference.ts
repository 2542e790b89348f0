// References that are searches: `Patient?identifier=…` in a resource stands for the one match, which the server looks up (R4 http
// §transaction rules). Whether the look-up succeeds tells what exists, so each is decided as the search that it is (spec §2.6).

import { parseRequestTarget } from '../http/request-target.ts'
import { foldName } from '../json/fold-name.ts'
import { isJsonObject, type Json } from '../json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { Definitions } from './definitions.ts'
import { parseInteraction, type TypeSearch } from './interaction.ts'
import { hasCriterion } from './search.ts'

export interface ConditionalReference {
  /** As it stands in the resource. */
  readonly text: string
  readonly lookup: TypeSearch
}

/** Every conditional reference in a resource, at any depth, each once. */
export function conditionalReferences(
  resource: Json,
  definitions: Definitions,
): readonly ConditionalReference[] | Refusal {
  const found = new Map<string, TypeSearch>()
  for (const [name, text] of queriesIn(resource)) {
    if (found.has(text)) continue
    const search = name === 'reference' ? readQuery(text, definitions) : unreadable()
    if (isRefusal(search)) return search
    found.set(text, search)
  }
  return [...found].map(([text, lookup]) => ({ text, lookup }))
}

/** The texts alone, readable or not. */
export function queriesOf(resource: Json): ReadonlySet<string> {
  return new Set([...queriesIn(resource)].map(([, text]) => text))
}

export function readQuery(text: string, definitions: Definitions): TypeSearch | Refusal {
  const target = parseRequestTarget(`/${text}`)
  if (isRefusal(target)) return unreadable()
  const { segments, parameters } = target
  const interaction = parseInteraction({ method: 'GET', segments, parameters }, definitions)
  if (isRefusal(interaction) || interaction.code !== 'search-type') return unreadable()
  return segments.length === 1 && hasCriterion(interaction.search) ? interaction : unreadable()
}

/** A query may follow any reference; `urn:` and plain ones have none. Servers that ignore case would read `Reference` too. */
function* queriesIn(value: Json): Generator<readonly [name: string, text: string]> {
  if (Array.isArray(value)) for (const item of value) yield* queriesIn(item)
  if (!isJsonObject(value)) return
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'object') yield* queriesIn(member)
    else if (typeof member === 'string' && member.includes('?') && foldName(name) === 'reference') yield [name, member]
  }
}

function unreadable(): Refusal {
  return refuse('body-invalid', 'a reference holds a query that is no search such as Patient?identifier=….')
}
