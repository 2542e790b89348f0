// What a decision allows of each type: the one value from which both narrowing (of the request) and guarding (of the answer, or of what
// is to be written) are worked out, so that they cannot drift apart (docs/decisions/0007).

import type { HeldScope } from '../decision/authority.ts'
import type { FhirPolicy } from '../decision/policy.ts'
import type { Door } from '../decision/required-access.ts'
import { limitOn, type TypeLimit } from './limit.ts'

export class Constraint {
  readonly scopes: readonly HeldScope[]
  readonly door: Door
  readonly policy: FhirPolicy
  readonly #known = new Map<string, readonly TypeLimit[] | undefined>()

  constructor(scopes: readonly HeldScope[], door: Door, policy: FhirPolicy) {
    this.scopes = scopes
    this.door = door
    this.policy = policy
  }

  /** An OR: undefined when everything of the type is allowed by one of these letters, empty when nothing is. */
  limitsOn(type: string, permissions: string): readonly TypeLimit[] | undefined {
    const key = `${type}.${permissions}`
    if (this.#known.has(key)) return this.#known.get(key)
    const limits = this.#limitsOn(type, permissions)
    this.#known.set(key, limits)
    return limits
  }

  #limitsOn(type: string, permissions: string): readonly TypeLimit[] | undefined {
    const limits: TypeLimit[] = []
    for (const scope of this.scopes) {
      if (!scope.doors.includes(this.door) || (scope.smart.type !== '*' && scope.smart.type !== type)) continue
      for (const permission of permissions) {
        if (!scope.smart.permissions.includes(permission)) continue
        const limit = limitOn(scope, type, permission, this.policy)
        if (limit === undefined) return undefined
        if (limit !== 'nothing') limits.push(limit)
      }
    }
    return limits
  }
}
