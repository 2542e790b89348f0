// The upstream's CapabilityStatement as the gateway stands by it (spec §5.4): its own base and security, no URL of the upstream,
// and none of the interactions, operations and messages that it refuses.

import type { Operation } from '../../config/schema/operations.ts'
import type { Enforced } from './enforced.ts'
import type { Endpoints } from './issuer-metadata.ts'
import { mapUrls } from './mapped-urls.ts'
import { securityOf } from './rest-security.ts'

export interface CapabilityStatementFacts {
  readonly base: string
  readonly smart: boolean
  readonly operations: readonly Operation[]
  readonly endpoints: Endpoints
  readonly enforced: Enforced
  /** A URL as clients may see it; undefined when it must not be shown. */
  readonly mapUrl: (url: string) => string | undefined
}

type Json = Readonly<Record<string, unknown>>

const INSTANCE_AND_TYPE = new Set([
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
])
const SYSTEM = new Set(['batch', 'transaction', 'search-system', 'history-system'])

export function isCapabilityStatement(value: unknown): value is Json {
  return isObject(value) && value['resourceType'] === 'CapabilityStatement'
}

export function patchCapabilityStatement(upstream: Json, facts: CapabilityStatementFacts): Json {
  const { messaging: _, rest, implementation, ...statement } = mapUrls(upstream, facts.mapUrl) as Json
  const server = objects(rest).filter(({ mode }) => mode === 'server')
  return {
    ...statement,
    kind: 'instance',
    implementation: { ...described(implementation), url: facts.base },
    rest: (server.length === 0 ? [{ mode: 'server' }] : server).map((entry) => patchRest(entry, facts)),
  }
}

function patchRest(rest: Json, facts: CapabilityStatementFacts): Json {
  const { resource, interaction, operation, security: _, ...others } = rest
  const { operations, enforced } = facts
  const opens = enforced.operations ? operations : []
  return {
    ...others,
    security: securityOf(facts),
    ...filled(
      'resource',
      objects(resource).map((type) => patchType(type, opens)),
    ),
    ...filled(
      'interaction',
      objects(interaction).filter(({ code }) => SYSTEM.has(code as string)),
    ),
    ...filled(
      'operation',
      objects(operation).filter((named) => isOpened(named, [''], opens)),
    ),
  }
}

function patchType(resource: Json, opens: readonly Operation[]): Json {
  const { interaction, operation, ...others } = resource
  const type = String(resource['type'])
  const places = [`${type}/`, `${type}/{id}/`, '{type}/', '{type}/{id}/']
  return {
    ...others,
    ...filled(
      'interaction',
      objects(interaction).filter(({ code }) => INSTANCE_AND_TYPE.has(code as string)),
    ),
    ...filled(
      'operation',
      objects(operation).filter((named) => isOpened(named, places, opens)),
    ),
  }
}

function isOpened({ name }: Json, places: readonly string[], opens: readonly Operation[]): boolean {
  const bare = String(name).replace(/^\$/, '')
  return opens.some(({ shape }) => places.some((place) => shape === `${place}$${bare}`))
}

/** `implementation.description` is mandatory (1..1). */
function described(implementation: unknown): Json {
  const given = isObject(implementation) ? implementation : {}
  return typeof given['description'] === 'string' ? given : { ...given, description: 'FHIR endpoint behind scopegate' }
}

/** FHIR knows no empty lists. */
function filled(name: string, list: readonly Json[]): Json {
  return list.length === 0 ? {} : { [name]: list }
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
