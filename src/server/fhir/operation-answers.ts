// What an operation within limits answers (spec §2.5): a Bundle is guarded entry by entry, one resource as a read would be, Parameters part
// by part. Nothing that was not seen by the guard passes.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { Guard } from '../../domain/constraint/guard.ts'
import { lettersOf } from '../../domain/constraint/letters.ts'
import type { Interaction } from '../../domain/fhir/interaction.ts'
import { byResourceType } from '../../proxy/by-resource-type.ts'
import type { BodyTransform } from '../../proxy/forward.ts'
import { guardedResource, notFound } from '../../proxy/guarded-resource.ts'
import { heldJson } from '../../proxy/held-json.ts'

export type Operation = Extract<Interaction, { code: 'operation' }>

export interface OperationAnswerRules {
  /** For a Bundle. */
  bundle(): BodyTransform
  readonly mostHeld: number
  counted(result: 'released' | 'withheld', count: number): void
}

export function guardOperation(
  interaction: Operation,
  constraint: Constraint,
  rules: OperationAnswerRules,
): BodyTransform {
  const { mostHeld, counted } = rules
  const guard = new Guard(constraint, lettersOf(interaction))
  const releases = (resource: unknown): boolean => {
    const released = guard.releases(resource)
    counted(released ? 'released' : 'withheld', 1)
    return released
  }
  return byResourceType((type) => {
    if (type === 'Bundle') return rules.bundle()
    if (type !== 'Parameters') return guardedResource({ releases: (one) => guard.releases(one), counted }, mostHeld)
    const values = mayShowValues(interaction, constraint)
    return heldJson(mostHeld, (answer) => {
      const kept = keepParts((answer as Members)['parameter'], releases, values)
      if (!values && kept.length === 0) return notFound()
      return Buffer.from(
        JSON.stringify({ resourceType: 'Parameters', ...(kept.length > 0 ? { parameter: kept } : {}) }),
      )
    })
  }, mostHeld)
}

/**
 * Values outside resources could sum up what must not be seen: they pass where everything of the type is allowed, or where the one
 * record was checked before.
 */
function mayShowValues({ type, id }: Operation, constraint: Constraint): boolean {
  return type !== undefined && (id !== undefined || constraint.limitsOn(type, 'rs') === undefined)
}

type Members = Readonly<Record<string, unknown>>

function keepParts(parts: unknown, releases: (resource: unknown) => boolean, values: boolean): readonly Members[] {
  if (!Array.isArray(parts)) return []
  return (parts as readonly unknown[]).flatMap((part): Members[] => {
    if (typeof part !== 'object' || part === null) return []
    const { name, resource, part: inner, ...others } = part as Members
    if (typeof name !== 'string') return []
    if (resource !== undefined) {
      const kept = keepResource(resource, releases)
      return kept === undefined ? [] : [{ name, resource: kept }]
    }
    if (inner !== undefined) {
      const kept = keepParts(inner, releases, values)
      return kept.length === 0 ? [] : [{ name, part: kept }]
    }
    return values ? [{ name, ...others }] : []
  })
}

/** A Bundle in a part keeps what may be released, and nothing of its own but its type. */
function keepResource(resource: unknown, releases: (resource: unknown) => boolean): unknown {
  const { resourceType, type, entry } = (resource ?? {}) as Members
  if (resourceType !== 'Bundle') return releases(resource) ? resource : undefined
  const entries = (Array.isArray(entry) ? (entry as readonly (Members | null)[]) : []).flatMap((one) =>
    releases(one?.['resource']) ? [{ resource: one?.['resource'] }] : [],
  )
  return { resourceType, type, ...(entries.length > 0 ? { entry: entries } : {}) }
}
