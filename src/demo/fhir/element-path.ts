// Element paths of search parameters: `a.b.c`, a choice `onset[x]`, a filter `telecom[system=phone]`, and whether a
// choice is there and not false, `deceased[?]`.
// Arrays are walked through at every step, as FHIRPath does.

import { isObject } from './resource.ts'

export interface PathStep {
  readonly name: string
  readonly choice: boolean
  /** The step gives true or false instead of elements. */
  readonly presence?: boolean
  readonly filter?: { readonly key: string; readonly value: string }
}

export type ElementPath = readonly PathStep[]

/** `category|code.coding` is two paths; dots and bars inside brackets belong to the filter. */
export function compilePaths(text: string): ElementPath[] {
  return splitOutsideBrackets(text, '|').map((path) => splitOutsideBrackets(path, '.').map(compileStep))
}

function compileStep(text: string): PathStep {
  const bracket = text.indexOf('[')
  if (bracket < 0) return { name: text, choice: false }
  const name = text.slice(0, bracket)
  const inner = text.slice(bracket + 1, -1)
  if (inner === 'x') return { name, choice: true }
  if (inner === '?') return { name, choice: true, presence: true }
  const equals = inner.indexOf('=')
  return { name, choice: false, filter: { key: inner.slice(0, equals), value: inner.slice(equals + 1) } }
}

function splitOutsideBrackets(text: string, separator: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '[') depth++
    else if (c === ']') depth--
    else if (c === separator && depth === 0) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  parts.push(text.slice(from))
  return parts
}

/** All elements that the path leads to, in document order. */
export function elementsAt(root: unknown, path: ElementPath, index = 0, found: unknown[] = []): unknown[] {
  if (Array.isArray(root)) {
    for (const item of root) elementsAt(item, path, index, found)
    return found
  }
  const step = path[index]
  if (step === undefined) {
    if (root !== undefined && root !== null) found.push(root)
    return found
  }
  if (!isObject(root)) return found
  if (step.presence === true) {
    found.push(Object.keys(root).some((key) => isChoiceOf(key, step.name) && root[key] !== false))
  } else if (step.choice) {
    for (const key in root) if (isChoiceOf(key, step.name)) elementsAt(root[key], path, index + 1, found)
  } else if (step.filter !== undefined) {
    const { key, value } = step.filter
    const items = root[step.name]
    for (const item of Array.isArray(items) ? items : [items]) {
      if (isObject(item) && item[key] === value) elementsAt(item, path, index + 1, found)
    }
  } else elementsAt(root[step.name], path, index + 1, found)
  return found
}

/** `onsetDateTime` is a choice of `onset`; `onsetting` is not. */
function isChoiceOf(key: string, name: string): boolean {
  if (!key.startsWith(name) || key.length === name.length) return false
  const next = key.charCodeAt(name.length)
  return next >= 65 && next <= 90
}
