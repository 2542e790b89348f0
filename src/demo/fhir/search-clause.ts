// One AND-part of a search, compiled into a test on a resource: plain parameters with modifiers, chains and `_has`.

import { elementsAt } from './element-path.ts'
import { badRequest } from './fhir-error.ts'
import type { ResourceStore } from './resource-store.ts'
import { RESOURCE_TYPES } from './resource-types.ts'
import { findParameter, type SearchParameter } from './search-parameters.ts'
import { splitUnescaped, unescapeValue } from './search-text.ts'
import { type ReferenceValue, valuesOf } from './search-values.ts'
import type { StoredVersion } from './stored-version.ts'
import { checkModifier, compileComposite, compileValue, type MatchContext, referenceTarget } from './value-matcher.ts'

export type ResourceTest = (version: StoredVersion) => boolean

export interface Clause {
  readonly test: ResourceTest
  /** Keys such as `Patient/1` of which every match names one: the reference index finds the candidates. */
  readonly references?: readonly string[]
  /** Ids of which every match has one. */
  readonly ids?: readonly string[]
}

export interface ClauseContext extends MatchContext {
  readonly store: ResourceStore
}

/** Undefined when the type has no such parameter: the caller ignores it, or refuses under `handling=strict`. */
export function compileClause(type: string, name: string, text: string, context: ClauseContext): Clause | undefined {
  if (name.startsWith('_has:')) return compileHas(type, name, text, context)
  const dot = name.indexOf('.')
  if (dot >= 0) return compileChain(type, name.slice(0, dot), name.slice(dot + 1), text, context)
  const [base, modifier] = splitModifier(name)
  const parameter = findParameter(type, base)
  return parameter === undefined ? undefined : compilePlain(parameter, modifier, text, context)
}

function splitModifier(name: string): [string, string | undefined] {
  const colon = name.indexOf(':')
  return colon < 0 ? [name, undefined] : [name.slice(0, colon), name.slice(colon + 1)]
}

function compilePlain(
  parameter: SearchParameter,
  modifier: string | undefined,
  text: string,
  context: ClauseContext,
): Clause {
  checkModifier(parameter, modifier)
  if (modifier === 'missing') return compileMissing(parameter, text)
  const values = splitUnescaped(text, ',').filter((value) => value !== '')
  if (values.length === 0) throw badRequest(`${parameter.name} has no value`, 'value')
  if (parameter.kind === 'composite') {
    const tests = values.map((value) => compileComposite(parameter, value, context))
    return { test: ({ resource }) => elementsOf(resource, parameter).some((e) => tests.some((test) => test(e))) }
  }
  const tests = values.map((value) => compileValue(parameter, modifier, value, context))
  const only = tests[0]!
  const one = tests.length === 1 ? only : (value: Parameters<typeof only>[0]) => tests.some((test) => test(value))
  if (modifier === 'not') return { test: (version) => !valuesOf(version, parameter).some(one) }
  const test: ResourceTest = (version) => valuesOf(version, parameter).some(one)
  if (parameter.name === '_id') return { test, ids: values.map(unescapeValue) }
  if (parameter.kind !== 'reference' || modifier === 'identifier') return { test }
  const keys = values.map((value) => referenceTarget(parameter, modifier, unescapeValue(value), context))
  return keys.some((key) => key === undefined) ? { test } : { test, references: keys as string[] }
}

function elementsOf(resource: unknown, parameter: SearchParameter): unknown[] {
  return parameter.paths.flatMap((path) => elementsAt(resource, path))
}

function compileMissing(parameter: SearchParameter, text: string): Clause {
  if (text !== 'true' && text !== 'false') throw badRequest(':missing takes true or false', 'value')
  const wanted = text === 'true'
  if (parameter.kind === 'composite') throw badRequest(':missing is not supported for a composite', 'not-supported')
  return { test: (version) => (valuesOf(version, parameter).length === 0) === wanted }
}

/** `subject:Patient.name=x`: some resource that `head` refers to matches the rest. */
function compileChain(
  type: string,
  head: string,
  rest: string,
  text: string,
  context: ClauseContext,
): Clause | undefined {
  const [name, onlyType] = splitModifier(head)
  const parameter = findParameter(type, name)
  if (parameter === undefined) return undefined
  if (parameter.kind !== 'reference') throw badRequest(`${name} is not a reference and cannot be chained`)
  if (onlyType !== undefined && !RESOURCE_TYPES.has(onlyType)) throw badRequest(`${onlyType} is not a resource type`)
  const compiled = new Map<string, Clause | undefined>()
  const clauseFor = (target: string): Clause | undefined => {
    if (!compiled.has(target)) compiled.set(target, compileClause(target, rest, text, context))
    return compiled.get(target)
  }
  const known = new Map<string, boolean>()
  const matches = (key: string): boolean => {
    const before = known.get(key)
    if (before !== undefined) return before
    const [targetType, id] = key.split('/') as [string, string]
    const target = context.store.current(targetType, id)
    const result = target !== undefined && (clauseFor(targetType)?.test(target) ?? false)
    known.set(key, result)
    return result
  }
  const fixed = onlyType ?? parameter.target
  if (fixed !== undefined && clauseFor(fixed) === undefined) return undefined
  return {
    test: (version) =>
      (valuesOf(version, parameter) as readonly ReferenceValue[]).some(
        ({ key }) => key !== undefined && (fixed === undefined || key.startsWith(`${fixed}/`)) && matches(key),
      ),
  }
}

/** `_has:Observation:patient:code=x`: some Observation whose `patient` is this resource matches `code=x`. */
function compileHas(type: string, name: string, text: string, context: ClauseContext): Clause | undefined {
  const match = /^_has:([A-Za-z]+):([^:]+):(.+)$/.exec(name)
  if (match === null) throw badRequest(`"${name}" is not of the form _has:Type:reference:parameter`)
  const [, source, link, rest] = match as unknown as [string, string, string, string]
  if (!RESOURCE_TYPES.has(source)) throw badRequest(`${source} is not a resource type`)
  const reference = findParameter(source, link)
  const clause = compileClause(source, rest, text, context)
  if (reference === undefined || clause === undefined) return undefined
  if (reference.kind !== 'reference') throw badRequest(`${source}.${link} is not a reference`)
  if (reference.target !== undefined && reference.target !== type) return { test: () => false }
  return {
    test: ({ key }) => {
      for (const candidate of context.store.references.sources(key, source)) {
        const names = (valuesOf(candidate, reference) as readonly ReferenceValue[]).some((value) => value.key === key)
        if (names && clause.test(candidate)) return true
      }
      return false
    },
  }
}
