// `check --effective`: the route map with every default, as YAML that loads to the same settings. Secrets are shown as the reference
// to the environment that brings them, or not at all.
import type { TSchema } from 'typebox'
import { stringify } from 'yaml'
import type { Loaded } from './load.ts'
import { branchOf } from './schema/branch.ts'
import { spelled } from './schema/decode.ts'
import type { Keywords } from './schema/effective.ts'
import { RouteMap, type WrittenRouteMap } from './schema/route-map.ts'
import type { Settings } from './settings.ts'
import type { Path } from './source/problem.ts'

export function printEffective({ settings, written, writtenAt }: Loaded): string {
  const map = withDerived(written as WrittenRouteMap, settings)
  return stringify(withDefaults(RouteMap, map, writtenAt), { lineWidth: 0 })
}

function withDefaults(schema: TSchema, written: unknown, writtenAt: Loaded['writtenAt']): unknown {
  const fill = (given: Keywords, short: unknown, path: Path): unknown => {
    const { schema, written } = spelled(given, short)
    if (schema['~secret']) return hidden(writtenAt(path))
    if (schema.anyOf) return fill(branchOf(schema.anyOf, written) ?? {}, written, path)
    if (Array.isArray(written)) {
      return written.flatMap((item, index) =>
        item === undefined ? [] : [fill(schema.items ?? {}, item, [...path, index])],
      )
    }
    if (typeof written !== 'object' || written === null) return written
    const values = Object.values(schema.patternProperties ?? {})[0]
    const keys = schema.properties ? Object.keys(schema.properties) : Object.keys(written)
    const entries = keys.map((key): [string, unknown] => {
      const inner = schema.properties?.[key] ?? values ?? {}
      const value = Object.hasOwn(written, key) ? (written as Record<string, unknown>)[key] : inner.default
      return [key, value === undefined ? undefined : fill(inner, value, [...path, key])]
    })
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  }
  return fill(schema as Keywords, written, [])
}

// What stands beside a reference, or as its default, is secret too.
const hidden = (source = ''): string => (/^\$\{[^}]+\}$/.test(source) ? source.replace(/:-.*\}$/s, '}') : '***')

/** Defaults that follow from other keys. */
function withDerived(map: WrittenRouteMap, settings: Settings): WrittenRouteMap {
  return {
    ...map,
    server: { ...map.server, publicUrl: settings.server.publicUrl },
    issuers: (map.issuers ?? []).map((issuer, index) => ({ name: settings.issuers[index]!.name, ...issuer })),
    routes: map.routes.map((route, index) => {
      const { name, issuers, audience } = settings.routes[index]!
      return { ...route, name, issuers: [...issuers], audience: [...audience] }
    }),
  }
}
