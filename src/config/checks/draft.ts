// A written route map of which every part may be missing (because it was wrong and is reported already): what checks that look
// across sections work on, so that one run tells everything.

import type { Static } from 'typebox'
import type { FhirRoute } from '../schema/fhir-route.ts'
import type { PlainRoute } from '../schema/plain-route.ts'
import type { WrittenRouteMap } from '../schema/route-map.ts'
import type { Path } from '../source/problem.ts'

type Partly<T> = T extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Partly<T[K]> | undefined }
    : T

export type Draft = Partly<WrittenRouteMap>
export type FhirRouteDraft = Partly<Static<typeof FhirRoute>>
export type PlainRouteDraft = Partly<Static<typeof PlainRoute>>
export type RouteDraft = FhirRouteDraft | PlainRouteDraft

/** Items of a list with the path of each. */
export function* placed<T>(items: readonly (T | undefined)[] | undefined, path: Path): Generator<readonly [T, Path]> {
  for (const [index, item] of (items ?? []).entries()) if (item !== undefined) yield [item, [...path, index]]
}

/** Named things with the path of each. */
export function* placedByName<T>(
  named: Readonly<Record<string, T | undefined>> | undefined,
  path: Path,
): Generator<readonly [string, T, Path]> {
  for (const [name, item] of Object.entries(named ?? {})) if (item !== undefined) yield [name, item, [...path, name]]
}

/** One value or a list of them, each with its path. */
export function* placedOneOrMany(
  value: string | readonly (string | undefined)[] | undefined,
  path: Path,
): Generator<readonly [string, Path]> {
  if (typeof value === 'string') yield [value, path]
  else yield* placed(value, path)
}

export const isPlainRoute = (route: RouteDraft): route is PlainRouteDraft => 'match' in route
