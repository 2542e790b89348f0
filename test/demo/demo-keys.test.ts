import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/credentials/api-keys/key-ring.ts'
import { makeDemoKeys } from '../../src/demo/demo-keys.ts'
import { printTour } from '../../src/demo/tour.ts'
import { settingsFrom } from '../config/support/maps.ts'

const NOW = 1_800_000_000
const { scopes: catalogue } = settingsFrom(readFileSync(new URL('../../routes.yaml', import.meta.url), 'utf8'))
const keys = makeDemoKeys(catalogue, NOW)
const addresses = { gateway: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2', issuer: 'http://127.0.0.1:3' }

test('every scope that a key may carry is in exactly one key of that kind, and no other is', () => {
  for (const kind of ['api-key', 'service-key'] as const) {
    const carried = catalogue.filter(({ credentials }) => credentials.includes(kind)).map(({ name }) => name)
    const held = keys.flatMap(({ key }) => (key.kind === kind ? key.scopes : []))
    expect(held.toSorted()).toEqual(carried.toSorted())
  }
})

test('they count, by the secrets that are shown', () => {
  const ring = new KeyRing()
  ring.replace(keys.map(({ key }) => key))
  for (const { secret, key } of keys) expect(ring.find(secret, NOW * 1000)).toMatchObject({ tokenId: key.id })
})

describe('the tour', () => {
  const prime = keys.find(({ category }) => category === 'Prime Wearables')!

  test('has one line ready to paste with a key, and every key of the demo', () => {
    const tour = printTour({ ...addresses, keyHeader: 'X-API-Key', keys })
    expect(tour).toContain(`curl -si 'http://127.0.0.1:1/prime/v1/health' -H 'X-API-Key: ${prime.secret}'`)
    for (const { secret } of keys) expect(tour).toContain(secret)
  })

  test('says nothing of keys where none are taken or none fits', () => {
    const others = keys.filter((one) => one !== prime)
    for (const facts of [
      { keyHeader: undefined, keys },
      { keyHeader: 'X-API-Key', keys: others },
    ]) {
      expect(printTour({ ...addresses, ...facts })).not.toContain('sgk_')
    }
  })
})
