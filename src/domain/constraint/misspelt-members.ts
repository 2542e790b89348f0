// A resource that is to be written is judged by names as FHIR spells them. A server that ignores case would read another member than
// the one that was looked at, so names that differ from each other, or from one that matters, in case only are refused (RFC 8259 §4
// leaves it open which of two a reader takes).

import type { FhirPolicy } from '../decision/policy.ts'
import { foldName } from '../json/fold-name.ts'
import { isJsonObject, type Json } from '../json/strict-json.ts'
import type { TypeLimit } from './limit.ts'

export function hasMisspeltMember(
  resource: Json,
  type: string,
  limits: readonly TypeLimit[],
  { definitions }: FhirPolicy,
): boolean {
  const { primary = [], secondary = [] } = definitions.patientLinks(type) ?? {}
  const links = [...primary, ...secondary].map((code) => definitions.searchParameter(type, code))
  const judging = [...links, ...limits.flatMap(({ clauses }) => clauses.map(({ parameter }) => parameter))]
  const steps = judging.flatMap((parameter) => parameter?.paths ?? []).flatMap((path) => path.steps)
  const spelling = new Map([...ALWAYS, ...steps.map(({ name }) => name)].map((name) => [foldName(name), name]))
  return isMisspelt(resource, spelling)
}

const ALWAYS = ['resourceType', 'id', 'meta', 'reference', 'type', 'identifier', 'target']

function isMisspelt(value: Json, spelling: ReadonlyMap<string, string>): boolean {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && isMisspelt(item, spelling))
  if (!isJsonObject(value)) return false
  const seen = new Set<string>()
  for (const [name, member] of Object.entries(value)) {
    const lower = foldName(name)
    if (seen.has(lower) || (spelling.get(lower) ?? name) !== name) return true
    seen.add(lower)
    if (typeof member === 'object' && isMisspelt(member, spelling)) return true
  }
  return false
}
