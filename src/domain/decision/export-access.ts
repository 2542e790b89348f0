// The access that a bulk export requires: reading and searching every exported type by `system/` scopes, and the Group of a group's
// export (spec §8). One that names no types needs all of them, or is narrowed to those that the scopes cover.

import { type ExportKickOff, readExport } from '../fhir/bulk-export.ts'
import type { Definitions } from '../fhir/definitions.ts'
import type { Interaction } from '../fhir/interaction.ts'
import type { GrantFacts } from '../grant.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import { authorityOf, covering } from './authority.ts'
import type { Decision } from './decision.ts'
import { searchProbes } from './operation-probes.ts'
import type { FhirPolicy } from './policy.ts'
import type { Need, RequiredAccess } from './required-access.ts'

type Operation = Extract<Interaction, { code: 'operation' }>

const LETTERS = ['r', 's'] as const

export function exportAccess(
  interaction: Operation,
  kickOff: ExportKickOff,
  definitions: Definitions,
): RequiredAccess | Refusal {
  const query = readExport(kickOff, definitions)
  if (isRefusal(query)) return query
  const types = query.types === undefined ? ['*'] : [...query.types, ...query.filters.map(({ type }) => type)]
  return {
    door: 'bulk',
    interaction,
    needs: [
      ...needsOf(types),
      ...query.filters.flatMap(({ search }) => searchProbes(search.reaches)),
      ...(interaction.type === 'Group' ? [GROUP] : []),
      COMES_ALONG,
    ],
    contexts: ['system'],
  }
}

const GROUP: Need = { type: 'Group', permissions: 'r', role: 'own' }
/** A server may put other types into its files, whatever it was asked for: those must be cut where no scope covers them. */
const COMES_ALONG: Need = { type: '*', permissions: 'r', role: 'include', optional: true }

function needsOf(types: readonly string[]): readonly Need[] {
  return [...new Set(types)].flatMap((type) => LETTERS.map((permissions): Need => ({ type, permissions, role: 'own' })))
}

/** Of an export of every type, the part that the scopes cover; undefined when it names types, or nothing is covered. */
export function narrowExport(
  access: RequiredAccess,
  grant: GrantFacts,
  policy: FhirPolicy,
): RequiredAccess | undefined {
  if (!access.needs.some(isEveryType)) return undefined
  const held = authorityOf(grant, policy).held.filter(({ smart }) => smart.context === 'system')
  const covers = (type: string, permissions: string): boolean =>
    covering({ type, permissions, role: 'own' }, 'bulk', held, policy).length > 0
  const types = policy.definitions.resourceTypes.filter((type) => LETTERS.every((letter) => covers(type, letter)))
  if (types.length === 0) return undefined
  return { ...access, needs: [...needsOf(types), ...access.needs.filter((need) => !isEveryType(need))] }
}

function isEveryType({ type, role }: Need): boolean {
  return type === '*' && role === 'own'
}

/** What a decided export holds: types by name, or `*`. */
export function exportedTypes({ covered }: Decision): '*' | readonly string[] {
  const types = covered
    .filter(({ need }) => need.role === 'own' && need.permissions === 's')
    .map(({ need }) => need.type)
  return types.includes('*') ? '*' : types
}
