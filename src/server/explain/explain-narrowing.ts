// What narrowing did to a search, told from the search as it was asked and as it would be sent.

import type { BodyUse } from '../../domain/fhir-request.ts'
import { type Parameter, parseRequestTarget, readForm } from '../../domain/http/request-target.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { Plan } from '../endpoint.ts'

export interface Narrowing {
  /** Clauses that were added, as `name=value`. */
  readonly appended: readonly string[]
  /** What was asked and is not sent: patients of others, elements and summaries, which the check has to see whole. */
  readonly left: readonly string[]
}

/** Undefined for a Bundle, whose entries are each narrowed by themselves, and where nothing was changed. */
export function narrowing(
  asked: readonly Parameter[],
  use: BodyUse,
  form: string | undefined,
  { path, body }: Plan,
): Narrowing | undefined {
  if (use !== 'none' && use !== 'form') return undefined
  const target = parseRequestTarget(path.startsWith('/') ? path : `/${path}`)
  if (isRefusal(target)) return undefined
  const before = [...asked, ...(use === 'form' ? (readForm(form ?? '') ?? []) : [])].filter(({ value }) => value !== '')
  const after = use === 'form' ? (readForm(body ?? '') ?? []) : target.parameters
  const appended = without(after, before)
  const left = without(before, after)
  return appended.length === 0 && left.length === 0 ? undefined : { appended, left }
}

function without(some: readonly Parameter[], others: readonly Parameter[]): readonly string[] {
  const print = ({ name, value }: Parameter): string => `${name}=${value}`
  const known = new Set(others.map(print))
  return some.map(print).filter((one) => !known.has(one))
}
