// `_include` and `_revinclude`, with `:iterate`: what is added to a page of matches.

import { badRequest } from './fhir-error.ts'
import type { ResourceStore } from './resource-store.ts'
import { findParameter, parametersOf, type SearchParameter } from './search-parameters.ts'
import type { IncludeDirective } from './search-query.ts'
import { type ReferenceValue, valuesOf } from './search-values.ts'
import type { StoredVersion } from './stored-version.ts'

export interface Includes {
  readonly include: readonly IncludeDirective[]
  readonly revinclude: readonly IncludeDirective[]
}

export function findIncluded(
  matches: readonly StoredVersion[],
  includes: Includes,
  store: ResourceStore,
): StoredVersion[] {
  if (includes.include.length === 0 && includes.revinclude.length === 0) return []
  const seen = new Set(matches.map((match) => match.key))
  const included: StoredVersion[] = []
  let round = matches
  for (let first = true; round.length > 0; first = false) {
    const next: StoredVersion[] = []
    const add = (version: StoredVersion): void => {
      if (seen.has(version.key)) return
      seen.add(version.key)
      next.push(version)
    }
    for (const directive of includes.include) if (first || directive.iterate) follow(round, directive, store, add)
    for (const directive of includes.revinclude)
      if (first || directive.iterate) followBack(round, directive, store, add)
    included.push(...next)
    round = next
  }
  return included
}

type Add = (version: StoredVersion) => void

function follow(from: readonly StoredVersion[], directive: IncludeDirective, store: ResourceStore, add: Add): void {
  for (const version of from) {
    if (directive.source !== '*' && version.type !== directive.source) continue
    for (const parameter of referencesOf(version.type, directive.parameter)) {
      for (const { key } of valuesOf(version, parameter) as readonly ReferenceValue[]) {
        if (key === undefined) continue
        const [type, id] = key.split('/') as [string, string]
        const target = directive.target === undefined || directive.target === type ? store.current(type, id) : undefined
        if (target !== undefined) add(target)
      }
    }
  }
}

function followBack(to: readonly StoredVersion[], directive: IncludeDirective, store: ResourceStore, add: Add): void {
  for (const { key, type } of to) {
    if (directive.target !== undefined && directive.target !== type) continue
    const sources = directive.source === '*' ? [...store.references.sourceTypes(key)] : [directive.source]
    for (const source of sources) {
      const parameters = referencesOf(source, directive.parameter)
      for (const version of store.references.sources(key, source)) {
        const names = (p: SearchParameter): boolean =>
          (valuesOf(version, p) as readonly ReferenceValue[]).some((value) => value.key === key)
        if (parameters.some(names)) add(version)
      }
    }
  }
}

function referencesOf(type: string, name: string): SearchParameter[] {
  if (name === '*') return [...parametersOf(type).values()].filter((parameter) => parameter.kind === 'reference')
  const parameter = findParameter(type, name)
  return parameter?.kind === 'reference' ? [parameter] : []
}

/** An include of something that is no reference is the client's mistake, and said so at once. */
export function checkIncludes(includes: Includes): void {
  for (const { source, parameter } of [...includes.include, ...includes.revinclude]) {
    if (parameter === '*' || findParameter(source, parameter)?.kind === 'reference') continue
    throw badRequest(`${source}:${parameter} is not a reference parameter and cannot be included`, 'not-supported')
  }
}
