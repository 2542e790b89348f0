// The manifest of a finished export as its client may see it (spec §8): only known members, every URL sealed. A file of a type that the
// grant does not cover is left out, and so is one on another server, which could not be checked: the manifest says how many.

import type { BodyTransform } from '../../proxy/forward.ts'
import { unreadable } from '../../proxy/guarded-resource.ts'
import { heldJson } from '../../proxy/held-json.ts'

export interface ManifestRules {
  /** The kick-off as the client asked for it. */
  readonly request: string
  /** Everything, a part (so that a count would tell of the rest), or nothing of a type. */
  reach(type: string): 'all' | 'part' | 'nothing'
  /** Undefined for a URL that cannot be reached through here. */
  seal(part: 'status' | 'file' | 'deleted', url: string): string | undefined
  readonly mostHeld: number
}

type Members = Readonly<Record<string, unknown>>

export function exportManifest(rules: ManifestRules): BodyTransform {
  return heldJson(rules.mostHeld, (given) => {
    const manifest = isMembers(given) ? rewrite(given, rules) : undefined
    return manifest === undefined ? unreadable() : Buffer.from(JSON.stringify(manifest))
  })
}

function rewrite(given: Members, rules: ManifestRules): Members | undefined {
  const { transactionTime, outputOrganizedBy } = given
  if (typeof transactionTime !== 'string' || !Array.isArray(given['output'])) return undefined
  let elsewhere = 0
  const files = (list: unknown, part: 'file' | 'deleted'): readonly Members[] =>
    elementsOf(list).flatMap((file) => {
      const { type, url, count } = file
      if (typeof type !== 'string' || typeof url !== 'string') return []
      // Of what was deleted, each line names what it was.
      const reach = part === 'deleted' || type === 'OperationOutcome' ? 'part' : rules.reach(type)
      if (reach === 'nothing') return []
      const sealed = rules.seal(part, url)
      if (sealed === undefined) elsewhere++
      const counted = reach === 'all' && typeof count === 'number' ? { count } : {}
      return sealed === undefined ? [] : [{ type, url: sealed, ...counted }]
    })
  const output = files(given['output'], 'file')
  const error = files(given['error'], 'file')
  const deleted = files(given['deleted'], 'deleted')
  const link = elementsOf(given['link']).flatMap(({ relation, url }) => {
    const sealed = typeof url === 'string' ? rules.seal('status', url) : undefined
    if (sealed === undefined) elsewhere++
    return sealed === undefined || typeof relation !== 'string' ? [] : [{ relation, url: sealed }]
  })
  return {
    transactionTime,
    request: rules.request,
    requiresAccessToken: true,
    ...(typeof outputOrganizedBy === 'string' ? { outputOrganizedBy } : {}),
    output,
    error,
    ...(given['deleted'] === undefined ? {} : { deleted }),
    ...(link.length === 0 ? {} : { link }),
    ...(elsewhere === 0 ? {} : { extension: { [LEFT_OUT]: elsewhere } }),
  }
}

/** How many URLs led to where the gateway does not go. */
const LEFT_OUT = 'urn:scopegate:left-out'

function elementsOf(list: unknown): readonly Members[] {
  return Array.isArray(list) ? list.filter(isMembers) : []
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
