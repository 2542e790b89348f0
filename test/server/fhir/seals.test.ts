// For whom a seal opens: for whom it was made, and for nobody who only shares some of the names.

import { expect, test } from 'vitest'
import type { GrantFacts } from '../../../src/domain/grant.ts'
import { createSeals } from '../../../src/server/fhir/seals.ts'

const MADE_FOR: GrantFacts = {
  kind: 'bearer',
  issuer: 'ehr',
  issuerUrl: 'https://ehr.example.org',
  subject: 'u1',
  client: 'app',
  audience: [],
  scopes: [],
  patients: ['a', 'b'],
  expiresAt: 0,
}

test('a seal opens for the one for whom it was made, whatever token brings it, and for nobody else', () => {
  const seals = createSeals({ keys: ['k'], now: () => 0 })
  const seal = seals.seal('page', { path: '/next' }, 1_000, 'r', MADE_FOR)
  const open = (changes: Partial<GrantFacts>, route = 'r') =>
    seals.open('page', seal, route, { ...MADE_FOR, ...changes })
  for (const changes of [{}, { tokenId: 't2', scopes: ['more'], expiresAt: 9 }, { patients: ['b', 'a'] }]) {
    expect(open(changes)).toEqual({ path: '/next' })
  }
  const strangers: Partial<GrantFacts>[] = [
    // A reload gave the name to another issuer.
    { issuerUrl: 'https://another.example.org' },
    { subject: 'u2' },
    { client: 'app2' },
    { patients: ['a'] },
    { kind: 'api-key' },
  ]
  for (const changes of strangers) expect(open(changes), JSON.stringify(changes)).toBeUndefined()
  expect(open({}, 'r2')).toBeUndefined()
  expect(seals.open('export', seal, 'r', MADE_FOR)).toBeUndefined()
})

test('no nonce is used twice', () => {
  const seals = createSeals({ keys: ['k'], now: () => 0 })
  const nonces = Array.from({ length: 2_000 }, () => seals.seal('page', {}, 1_000, 'r', MADE_FOR).slice(0, 16))
  expect(new Set(nonces).size).toBe(2_000)
})
