// What a Subscription makes the server send out: everything that its criteria find, for as long as it stands (R4 Subscription). Only a
// plain one can be told; extensions of servers add searches of their own, and topics say elsewhere what they are about.

import { isJsonObject, type Json, type JsonObject } from '../json/strict-json.ts'
import { isRefusal } from '../refusal.ts'
import { readQuery } from './conditional-reference.ts'
import type { Definitions } from './definitions.ts'
import type { TypeSearch } from './interaction.ts'

const MEMBERS = new Set([
  'resourceType',
  'id',
  'meta',
  'language',
  'text',
  'status',
  'contact',
  'end',
  'reason',
  'criteria',
  'error',
  'channel',
])
const CHANNEL = new Set(['type', 'endpoint', 'payload', 'header'])

/** Undefined where it cannot be told. */
export function subscribedSearch(subscription: Json | undefined, definitions: Definitions): TypeSearch | undefined {
  if (!isJsonObject(subscription) || definitions.version === 'R5' || !hasOnly(subscription, MEMBERS)) return undefined
  const { criteria, channel } = subscription
  if (typeof criteria !== 'string' || !isJsonObject(channel) || !hasOnly(channel, CHANNEL)) return undefined
  const search = readQuery(criteria, definitions)
  return isRefusal(search) ? undefined : search
}

function hasOnly(object: JsonObject, members: ReadonlySet<string>): boolean {
  return Object.keys(object).every((name) => members.has(name))
}
