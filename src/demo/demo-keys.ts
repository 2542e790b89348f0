// Keys to try the products with: for each category of the catalogue one of each kind that may carry some of its scopes. They are in
// no file and end with the demo; what `keys create` writes to the route map's key file counts beside them.

import type { CatalogueScope } from '../config/schema/scope-catalogue.ts'
import type { ApiKey, KeyKind } from '../credentials/api-keys/api-key.ts'
import { makeKey } from '../credentials/api-keys/make-key.ts'

export interface DemoKey {
  readonly category: string
  readonly secret: string
  readonly key: ApiKey
}

const KINDS: readonly KeyKind[] = ['api-key', 'service-key']
const LIFETIME_S = 30 * 24 * 3600

/** `now` in seconds since 1970. */
export function makeDemoKeys(catalogue: readonly CatalogueScope[], now: number): readonly DemoKey[] {
  const categories = [...new Set(catalogue.map(({ category }) => category))]
  return categories.flatMap((category) =>
    KINDS.flatMap((kind) => {
      const carried = catalogue.filter((scope) => scope.category === category && scope.credentials.includes(kind))
      if (carried.length === 0) return []
      const { secret, ...made } = makeKey(kind)
      const scopes = carried.map(({ name }) => name)
      const key = { ...made, kind, owner: `demo: ${category}`, scopes, created: now, expires: now + LIFETIME_S }
      return [{ category, secret, key }]
    }),
  )
}
