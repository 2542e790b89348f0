// Rules for the scope catalogue: one meaning for one name.
import type { Report } from '../source/problem.ts'
import { type Draft, placedByName } from './draft.ts'

export function checkCatalogue(map: Draft, report: Report, warn: Report): void {
  const seen = new Map<string, string>()
  for (const [category, scopes, path] of placedByName(map.scopes, ['scopes'])) {
    for (const [name, scope, at] of placedByName(scopes, path)) {
      const first = seen.get(name)
      if (first !== undefined) report(at, `scope "${name}" is in the catalogue already, under "${first}"`, 'key')
      seen.set(name, category)
      const kinds = scope.credentials ?? ['oauth2']
      if (scope.selfService && !kinds.includes('api-key') && !kinds.includes('service-key')) {
        warn([...at, 'selfService'], `no key can carry "${name}", so partners cannot take it for keys of their own`)
      }
    }
  }
}
