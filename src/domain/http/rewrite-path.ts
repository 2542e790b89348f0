// The path of a request target with its beginning replaced (`routes.*.rewrite`). What goes upstream must be read there as it was
// decided here, so the new target is parsed like one that a client sent, and must print as itself.

import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { parseRequestTarget, printTarget, type RequestTarget } from './request-target.ts'

/** Both of whole segments, without a slash at their ends. */
export interface Rewrite {
  readonly from: string
  readonly to: string
}

/** The new target, printed. */
export function rewritePath(target: RequestTarget, { from, to }: Rewrite): string | Refusal {
  const { path } = target
  if (path !== from && !path.startsWith(`${from}/`)) return CANNOT
  const printed = printTarget({ ...target, path: to + path.slice(from.length) || '/' })
  const read = parseRequestTarget(printed)
  return isRefusal(read) || printTarget(read) !== printed ? CANNOT : printed
}

const CANNOT = refuse(
  'target-ambiguous',
  'The path of this request cannot be rewritten for the server behind this route.',
)
