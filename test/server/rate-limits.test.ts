// Whose request counts in whose bucket, what its answer tells, and what happens when nobody can count.

import { describe, expect, test } from 'vitest'
import type { Grant, GrantFacts } from '../../src/domain/grant.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { networkOf } from '../../src/server/port/client-network.ts'
import { type Counted, createRateLimit } from '../../src/server/rate-limits.ts'
import { InProcessState } from '../../src/state/in-process.ts'
import type { SharedState } from '../../src/state/shared-state.ts'
import { grantWith } from '../support/grants.ts'

type Limit = Parameters<typeof createRateLimit>[1]
const LIMIT: Limit = { requests: 2, per: 10_000, by: 'client' }

const address = () => '192.0.2.1'
const bearer = (facts: Partial<GrantFacts>) => grantWith('', { issuerUrl: 'https://ehr.test', ...facts })
const key = (facts: Partial<GrantFacts>) => grantWith('', { kind: 'api-key', ...facts })

function counting(limit: Partial<Limit> = {}, options: { route?: string; state?: SharedState } = {}) {
  const clock = { now: 0 }
  const state = options.state ?? new InProcessState({ now: () => clock.now })
  const count = createRateLimit(options.route ?? 'r', { ...LIMIT, ...limit }, state)
  return { clock, state, count }
}

describe('who shares a bucket', () => {
  test.each<[string, Partial<Limit>, Grant, Grant, boolean]>([
    [
      'one client, two subjects',
      {},
      bearer({ client: 'a', subject: '1' }),
      bearer({ client: 'a', subject: '2' }),
      true,
    ],
    ['two clients', {}, bearer({ client: 'a', subject: '1' }), bearer({ client: 'b', subject: '1' }), false],
    [
      'one client of two issuers',
      {},
      bearer({ client: 'a' }),
      bearer({ client: 'a', issuerUrl: 'https://x.test' }),
      false,
    ],
    ['a client and a key owner of its name', {}, bearer({ client: 'a' }), key({ client: 'a' }), false],
    ['two keys of one owner', {}, key({ client: 'a', tokenId: '1' }), key({ client: 'a', tokenId: '2' }), true],
    ['keys of two owners', {}, key({ client: 'a' }), key({ client: 'b' }), false],
    [
      'two subjects, by subject',
      { by: 'subject' },
      bearer({ client: 'a', subject: '1' }),
      bearer({ client: 'a', subject: '2' }),
      false,
    ],
    [
      'one subject at two clients, by subject',
      { by: 'subject' },
      bearer({ client: 'a', subject: '1' }),
      bearer({ client: 'b', subject: '1' }),
      true,
    ],
    ['no subject, by subject: the client', { by: 'subject' }, bearer({ client: 'a' }), bearer({ client: 'b' }), false],
    ['a client named like a subject', {}, bearer({ client: 'a' }), bearer({ subject: 'a' }), false],
    ['tokens that name nobody', {}, bearer({ fhirUser: 'Patient/1' }), bearer({ fhirUser: 'Patient/2' }), true],
    ['everybody, by route', { by: 'route' }, bearer({ client: 'a' }), key({ client: 'b' }), true],
  ])('%s', async (_, limit, one, other, shared) => {
    const { count } = counting({ requests: 1, ...limit })
    expect((await count(one, address)).refusal).toBeUndefined()
    expect(isRefusal((await count(other, address)).refusal)).toBe(shared)
  })

  test('two routes count apart, and so does another limit of the same route', async () => {
    const state = new InProcessState()
    const client = bearer({ client: 'a' })
    const allowed = async (limit: Partial<Limit>, route: string) => {
      const { count } = counting(limit, { route, state })
      return (await count(client, address)).refusal === undefined
    }
    expect(await allowed({ requests: 1 }, 'r')).toBe(true)
    expect(await allowed({ requests: 1 }, 'r')).toBe(false)
    expect(await allowed({ requests: 1 }, 's')).toBe(true)
    expect(await allowed({ requests: 3 }, 'r')).toBe(true)
  })

  test.each([
    ['one address', '192.0.2.1', '192.0.2.1', true],
    ['two addresses', '192.0.2.1', '192.0.2.2', false],
    ['one address, mapped', '192.0.2.1', '::ffff:192.0.2.1', true],
    ['two addresses of one network', '2001:db8:1:2::1', '2001:DB8:1:2:ffff::2', true],
    ['two networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ])('without a credential: %s', async (_, one, other, shared) => {
    const { count } = counting({ requests: 1 })
    expect((await count(undefined, () => one)).refusal).toBeUndefined()
    expect(isRefusal((await count(undefined, () => other)).refusal)).toBe(shared)
  })

  test.each([
    ['::', '0:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0001:0000:0000:0000:0001', '2001:db8:0:1::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unix', 'unknown'],
    [undefined, 'unknown'],
  ])('the network of %s', (given, network) => {
    expect(networkOf(given)).toBe(network)
  })
})

describe('what an answer tells', () => {
  const told = ({ fields, refusal }: Counted) => [refusal?.code, refusal?.extras.retryAfter, fields.join(' ')]

  test('how much is left, and when there is more', async () => {
    const { count, clock } = counting()
    const ask = async () => told(await count(bearer({ client: 'a' }), address))
    const policy = 'ratelimit-policy "client";q=2;w=10 ratelimit "client"'
    expect(await ask()).toEqual([undefined, undefined, `${policy};r=1`])
    expect(await ask()).toEqual([undefined, undefined, `${policy};r=0;t=5`])
    expect(await ask()).toEqual(['rate-limited', 5, `${policy};r=0;t=5`])
    clock.now = 4_500
    expect(await ask()).toEqual(['rate-limited', 1, `${policy};r=0;t=1`])
    clock.now = 5_000
    expect(await ask()).toEqual([undefined, undefined, `${policy};r=0;t=5`])
  })

  test('of a bucket that all share, nothing that would tell what others do', async () => {
    const { count } = counting({ by: 'route', per: 500 })
    expect(told(await count(bearer({ client: 'a' }), address))).toEqual([
      undefined,
      undefined,
      'ratelimit-policy "route";q=2',
    ])
  })
})

test('names of buckets tell neither client nor address, and a lone process answers without a promise', () => {
  const names: string[] = []
  const state: SharedState = {
    take: (name) => {
      names.push(name)
      return { allowed: true, remaining: 1, retryAfter: 0 }
    },
    once: () => true,
  }
  const { count } = counting({}, { state })
  expect(count(bearer({ client: 'clinic-17', subject: 'alice' }), address)).not.toBeInstanceOf(Promise)
  count(undefined, address)
  expect(names).toHaveLength(2)
  expect(names.join()).not.toMatch(/clinic|alice|192\.0/)
})

describe('nobody can count', () => {
  test.each<[string, SharedState['take']]>([
    ['rejected', () => Promise.reject(new Error('gone'))],
    [
      'thrown',
      () => {
        throw new Error('gone')
      },
    ],
  ])('%s: refused', async (_, take) => {
    const { count } = counting({}, { state: { take, once: () => true } })
    expect((await count(bearer({ client: 'a' }), address)).refusal).toMatchObject({ code: 'overloaded', status: 503 })
  })
})
