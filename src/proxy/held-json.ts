// An answer that is read whole, within bounds, before something else stands in for it.

import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { BodyTransform } from './forward.ts'
import { unreadable } from './guarded-resource.ts'

/** `replace` gets the parsed body and gives the bytes that are sent instead. */
export function heldJson(mostHeld: number, replace: (body: unknown) => Buffer | Refusal): BodyTransform {
  const held: Buffer[] = []
  let bytes = 0
  return {
    write(chunk) {
      bytes += chunk.length
      if (bytes > mostHeld) return unreadable()
      held.push(Buffer.from(chunk))
      return undefined
    },
    end(out) {
      const body = parse(Buffer.concat(held, bytes))
      held.length = 0
      const instead = body === undefined ? unreadable() : replace(body)
      if (isRefusal(instead)) return instead
      out.write(instead)
      return undefined
    },
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
