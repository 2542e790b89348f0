// Rules for the scope catalogue: each meaning once. SMART scopes are compared by meaning, so `.read` and `.rs` are one.
import { meaningOf } from '../schema/smart-worth.ts'
import type { Report } from '../source/problem.ts'
import { type Draft, placedByName } from './draft.ts'

export function checkCatalogue(map: Draft, report: Report, warn: Report): void {
  const seen = new Map<string, string>()
  for (const [category, scopes, path] of placedByName(map.scopes, ['scopes'])) {
    for (const [name, scope, at] of placedByName(scopes, path)) {
      const meaning = meaningOf(name)
      const first = seen.get(meaning)
      if (first !== undefined) report(at, `scope "${name}" is in the catalogue already, under "${first}"`, 'key')
      seen.set(meaning, category)
      if (name === 'public')
        report(at, '"public" means without any credential in `requires`; call the scope otherwise', 'key')
      const kinds = scope.credentials ?? ['oauth2']
      const byKeyAlone = kinds.length > 0 && kinds.every((kind) => kind === 'api-key' || kind === 'service-key')
      if (byKeyAlone && map.apiKeys === undefined) {
        warn(at, `only keys carry "${name}", and without apiKeys no key counts: name their file by apiKeys.file`, 'key')
      }
      if (scope.selfService && !kinds.includes('api-key') && !kinds.includes('service-key')) {
        warn([...at, 'selfService'], `no key can carry "${name}", so partners cannot take it for keys of their own`)
      }
    }
  }
}
