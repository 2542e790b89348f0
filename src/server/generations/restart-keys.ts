// What a running gateway cannot change: where its ports listen and how, and how many processes it has. A reload that would change
// one of these keys is refused whole, because a route map that is in force in part would be worse than none.

import { isDeepStrictEqual } from 'node:util'
import type { Settings } from '../../config/settings.ts'
import type { Path } from '../../config/source/problem.ts'

const KEYS: readonly Path[] = [
  ['server', 'listen'],
  ['server', 'admin'],
  ['server', 'workers'],
  ['server', 'tls'],
  ['server', 'limits', 'header'],
  ['server', 'limits', 'target'],
  ['server', 'limits', 'connections'],
  ['server', 'limits', 'connectionsPerAddress'],
  ['server', 'timeouts', 'header'],
  ['server', 'timeouts', 'idle'],
  ['server', 'timeouts', 'request'],
]

export interface NeedsRestart {
  readonly path: Path
  readonly message: string
}

export function changesThatNeedRestart(inForce: Settings, next: Settings): readonly NeedsRestart[] {
  return KEYS.filter((path) => !isDeepStrictEqual(valueAt(inForce, path), valueAt(next, path))).map((path) => ({
    path,
    message: `"${path.join('.')}" cannot change while the gateway runs: restart it, or take the change back`,
  }))
}

function valueAt(settings: unknown, path: Path): unknown {
  let value = settings
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key]
  return value
}
