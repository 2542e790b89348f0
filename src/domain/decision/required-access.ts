// States, for one interaction, every access that it needs: the letters of SMART's table for the interaction itself (spec §1.4)
// and one need for every other type that the search looks at or brings along. One table, so that no door forgets a case.

import { type Interaction, isWrite, type TypeSearch, type Write } from '../fhir/interaction.ts'
import type { PatchContent } from '../fhir/patch.ts'
import type { Reach } from '../fhir/search-reach.ts'
import type { Permission, ScopeContext } from '../smart/scope.ts'

/** The way by which an access happens; a product scope counts only through the doors that its grant names (contract §3 `via`). */
export type Door = 'rest' | 'bundle' | 'operation' | 'bulk'

export interface Need {
  /** A resource type, or `*` for every type. */
  readonly type: string
  /** Any one of these letters is enough (`rs` only for resources that an include brings). */
  readonly permissions: string
  /**
   * `own`: the resources that the request is about; limits can be enforced on them.
   * `probe`: resources that only decide what matches: a limit cannot be enforced, so only an unlimited scope will do.
   * `include`: resources that come along in the answer.
   */
  readonly role: 'own' | 'probe' | 'include'
  /** Set where the request is about one known Patient: whose record it is can be told from the id alone. */
  readonly id?: string
  /** The search parameter that causes the need, without its value. */
  readonly parameter?: string
  /** Resources that come along unasked for by name: those that no scope covers are cut from the answer. */
  readonly optional?: true
  /** The write of which this is a search criterion: a scope that covers it and whose criteria count covers this too. */
  readonly criterionOf?: CoveredWrite
}

export interface CoveredWrite {
  readonly type: string
  readonly permission: Permission
}

export interface RequiredAccess {
  readonly door: Door
  readonly interaction: Interaction
  readonly needs: readonly Need[]
  /** Contexts whose scopes count; all when absent. */
  readonly contexts?: readonly ScopeContext[]
}

/** Interactions that need scopes of their own; `batch` and `transaction` stand for their entries, operations for their rule. */
export type Scoped = Exclude<Interaction, { code: 'batch' | 'transaction' | 'operation' | 'capabilities' }>

/** What is written, as far as it asks for access of its own. */
export interface WrittenContent {
  /** Of a Subscription: what it would send out. */
  readonly subscribed?: TypeSearch | undefined
  readonly patch?: PatchContent | undefined
}

export function requiredAccess(interaction: Scoped, door: Door, content: WrittenContent = {}): RequiredAccess {
  const written = isWrite(interaction) && interaction.code !== 'delete' && interaction.type === 'Subscription'
  const needs = [...needsOf(interaction, door)]
  if (written) needs.push(...pushed(content.subscribed))
  if (interaction.code === 'patch') needs.push(...asked(interaction, content.patch ?? UNREAD))
  return { door, interaction, needs }
}

/** A conditional reference in what an entry writes: a search of which only the outcome shows, so within limits it is made here (spec §2.6). */
export function lookupAccess(lookup: TypeSearch, within: Interaction, door: Door): RequiredAccess {
  const needs = [{ ...own(lookup.type, 's'), ...criterionOf(within, door) }, ...lookup.search.reaches.map(lookedUp)]
  return { door, interaction: lookup, needs }
}

/** Entries of Bundles that create or update may carry criteria by the write's own right (contract §3 `criteria`). */
function criterionOf(write: Interaction, door: Door): Pick<Need, 'criterionOf'> {
  if (door !== 'bundle' || (write.code !== 'create' && write.code !== 'update')) return {}
  return { criterionOf: { type: write.type, permission: write.code === 'create' ? 'c' : 'u' } }
}

function needsOf(interaction: Scoped, door: Door): readonly Need[] {
  switch (interaction.code) {
    case 'read':
    case 'vread':
    case 'history-instance':
      return [own(interaction.type, 'r', interaction.id)]
    case 'create':
      return conditional(own(interaction.type, 'c'), interaction, door)
    case 'update':
    case 'patch':
      return conditional(own(interaction.type, 'u', interaction.id), interaction, door)
    case 'delete':
      return conditional(own(interaction.type, 'd', interaction.id), interaction, door)
    case 'search-type':
      return [own(interaction.type, 's'), ...interaction.search.reaches.map(reachNeed)]
    case 'search-system':
      return [
        ...(interaction.search.types ?? ['*']).map((type) => own(type, 's')),
        ...interaction.search.reaches.map(reachNeed),
      ]
    case 'history-type':
      return [own(interaction.type, 's')]
    case 'history-system':
      return [own('*', 's')]
    default:
      return unhandled(interaction)
  }
}

/** A condition is a search on the same type, and its outcome tells what exists: it needs `s` besides (contract §5). */
function conditional(need: Need, write: Write, door: Door): readonly Need[] {
  const { type, condition } = write
  if (condition === undefined) return [need]
  return [need, { ...own(type, 's'), ...criterionOf(write, door) }, ...condition.reaches.map(lookedUp)]
}

/**
 * A Subscription makes the server send out whatever its criteria match, unchecked: whoever writes one must be allowed to search and to
 * read all of that (spec §1.4), and everything where the criteria cannot be told.
 */
function pushed(subscribed: TypeSearch | undefined): readonly Need[] {
  const needs = ['r', 's'].map(
    (permissions): Need => ({
      type: subscribed?.type ?? '*',
      permissions,
      role: 'probe',
      parameter: 'Subscription.criteria',
    }),
  )
  return [...needs, ...(subscribed?.search.reaches ?? []).map(lookedUp)]
}

const UNREAD: PatchContent = { asks: 'a patch', lookups: [undefined] }

/**
 * A patch whose outcome tells of what is stored needs `r` on it. A conditional reference that it puts in is looked up by the server where
 * nobody could narrow it, so the search that it is must be allowed without limits.
 */
function asked({ type, id }: Exclude<Write, { code: 'create' }>, { asks, lookups }: PatchContent): readonly Need[] {
  const reading = asks === undefined ? [] : [{ ...own(type, 'r', id), parameter: asks }]
  const looking = lookups.flatMap((lookup): Need[] => {
    const need = { permissions: 's', role: 'probe', parameter: 'a conditional reference in a patch' } as const
    return lookup === undefined
      ? [{ ...need, type: '*' }]
      : [{ ...need, type: lookup.type }, ...lookup.search.reaches.map(lookedUp)]
  })
  return [...reading, ...looking]
}

function own(type: string, permission: Permission, id?: string): Need {
  const need: Need = { type, permissions: permission, role: 'own' }
  return type === 'Patient' && id !== undefined ? { ...need, id } : need
}

/**
 * What `_include` brings is as good as a read of a known reference, so `r` or `s` will do; `_revinclude` discovers
 * resources, as a search does (spec §3.5). `_list` reads a List.
 */
function reachNeed({ kind, type, parameter, named }: Reach): Need {
  switch (kind) {
    case 'include':
      return { type, permissions: 'rs', role: 'include', parameter, ...(named ? {} : { optional: true }) }
    case 'revinclude':
      return { type, permissions: 's', role: 'include', parameter, ...(named ? {} : { optional: true }) }
    case 'list':
      return { type, permissions: 'r', role: 'probe', parameter }
    case 'probe':
      return { type, permissions: 's', role: 'probe', parameter }
  }
}

/** A condition brings nothing along in an answer, so there is nothing to cut: all that it names must be covered. */
function lookedUp(reach: Reach): Need {
  const { optional: _, ...need } = reachNeed(reach)
  return need
}

function unhandled(interaction: never): never {
  throw new Error(`interaction without required access: ${JSON.stringify(interaction)}`)
}
