// Walks a resource along a path of the definitions. Strict on shape: an array stands where FHIR writes an array and nowhere else.
// INVARIANT: never throws, whatever JSON it is given, and what has another shape than FHIR gives it yields no element.

import type { ElementPath, PathStep } from './definitions-table.ts'

/** Whether `accepts` takes any element on the path. It is called with `undefined` where something stands in another shape than FHIR's. */
export function someElement(resource: unknown, path: ElementPath, accepts: (element: unknown) => boolean): boolean {
  return walk(resource, path.steps, 0, accepts)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function walk(node: unknown, steps: readonly PathStep[], at: number, accepts: (element: unknown) => boolean): boolean {
  if (at === steps.length) return accepts(node)
  if (!isObject(node)) return accepts(undefined)
  const step = steps[at]!
  const member = node[step.name]
  // Inherited members are functions and objects of the prototype, never data.
  if (member === undefined || !Object.hasOwn(node, step.name)) return false
  if (!step.many) return Array.isArray(member) ? accepts(undefined) : enter(member, step, steps, at, accepts)
  if (!Array.isArray(member)) return accepts(undefined)
  for (const item of member) if (enter(item, step, steps, at, accepts)) return true
  return false
}

function enter(
  element: unknown,
  { where }: PathStep,
  steps: readonly PathStep[],
  at: number,
  accepts: (element: unknown) => boolean,
): boolean {
  if (where !== undefined && !(isObject(element) && element[where.member] === where.value)) return false
  return walk(element, steps, at + 1, accepts)
}
