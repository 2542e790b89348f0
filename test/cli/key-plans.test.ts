import { describe, expect, test } from 'vitest'
import { planRevoke, planRotate } from '../../src/cli/key-plans.ts'
import { makeKey } from '../../src/credentials/api-keys/make-key.ts'
import { NOW, testKey } from '../credentials/api-keys/support.ts'

const DAY = 86_400
const old = testKey('service-key', { created: NOW - DAY, expires: NOW + 9 * DAY, scopes: ['a', 'b'] }).key
const made = makeKey('service-key')

describe('rotation', () => {
  test('makes a key for the same, for as long as the old one was made for, and ends the old one', () => {
    expect(planRotate([old], old.id, { overlap: 7 * DAY, made, now: NOW })).toEqual({
      add: {
        id: made.id,
        kind: 'service-key',
        owner: 'Acme',
        scopes: ['a', 'b'],
        created: NOW,
        expires: NOW + 10 * DAY,
        sha256: made.sha256,
        rotatedFrom: old.id,
      },
      end: { id: old.id, until: NOW + 7 * DAY },
    })
  })

  test.each([
    ['no overlap', 0, NOW],
    ['more than is left', 90 * DAY, NOW + 9 * DAY],
  ])('with %s', (_, overlap, until) => {
    expect(planRotate([old], old.id, { overlap, made, now: NOW }).end).toEqual({ id: old.id, until })
  })

  test('does not prolong an old key that ended', () => {
    const ended = { ...old, expires: NOW - 1 }
    expect(planRotate([ended], old.id, { overlap: DAY, made, now: NOW }).end.until).toBe(NOW - 1)
  })

  test.each([
    ['a revoked key', [{ ...old, revoked: NOW }], old.id, 'was revoked; create a new one'],
    ['a key that was replaced', [old, { ...old, id: 'key-2', rotatedFrom: old.id }], old.id, 'by "key-2" already'],
    ['no key', [old], `${old.id}x`, `did you mean "${old.id}"?`],
    ['none at all', [], 'key-1', 'there is no key "key-1"'],
  ])('of %s is refused', (_, keys, id, message) => {
    expect(() => planRotate(keys, id, { overlap: 0, made, now: NOW })).toThrow(message)
  })
})

describe('revocation', () => {
  const heir = testKey('service-key', { rotatedFrom: old.id }).key

  test('ends the key now and names its relatives that still count', () => {
    expect(planRevoke([old, heir], old.id, NOW)).toMatchObject({ end: { id: old.id, revoked: NOW }, relatives: [heir] })
    expect(planRevoke([old, heir], heir.id, NOW).relatives).toEqual([old])
    expect(planRevoke([{ ...old, until: NOW }, heir], heir.id, NOW).relatives).toEqual([])
  })

  test('of a key that is revoked changes nothing', () => {
    expect(planRevoke([{ ...old, revoked: NOW - 5 }], old.id, NOW).end).toBeUndefined()
  })
})
