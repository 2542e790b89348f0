// An answer of which only its own `resourceType` tells how it has to be checked, as operations give: held until that came by, then
// handed on from its first byte. INVARIANT: nothing leaves before the way of checking was chosen.

import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { BodyTransform } from './forward.ts'
import { unreadable } from './guarded-resource.ts'
import { OPEN_OBJECT } from './json-bytes.ts'
import { HELD, type JsonVisitor, WATCHED } from './json-output.ts'
import { JsonScanner } from './json-scan.ts'

export function byResourceType(choose: (type: string) => BodyTransform | Refusal, mostHeld: number): BodyTransform {
  const seen = new TypeReader()
  const scanner = new JsonScanner(seen, mostHeld)
  let held: Buffer[] = []
  let bytes = 0
  let chosen: BodyTransform | undefined
  return {
    guards: 'bundle',
    write(chunk, out) {
      if (chosen !== undefined) return chosen.write(chunk, out)
      bytes += chunk.length
      held.push(Buffer.from(chunk))
      scanner.push(chunk)
      if (scanner.fault !== undefined || (seen.type === undefined && bytes > mostHeld)) return unreadable()
      if (seen.type === undefined) return undefined
      const choice = choose(seen.type)
      if (isRefusal(choice)) return choice
      chosen = choice
      const whole = Buffer.concat(held)
      held = []
      return chosen.write(whole, out)
    },
    end: (out) => (chosen === undefined ? unreadable() : chosen.end(out)),
  }
}

const RESOURCE = 1
const TYPE = 2

class TypeReader implements JsonVisitor {
  type: string | undefined

  enter(place: number, key: string | undefined, first: number): number {
    if (place === 0) return first === OPEN_OBJECT ? RESOURCE | WATCHED : 0
    return key === 'resourceType' && this.type === undefined ? TYPE | HELD : 0
  }

  leave(_place: number, raw: Buffer): undefined {
    const value: unknown = JSON.parse(raw.toString())
    this.type ??= typeof value === 'string' ? value : ''
  }
}
