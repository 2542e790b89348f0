import { expect, test } from 'vitest'
import type { Settings } from '../../../src/config/settings.ts'
import type { Grant } from '../../../src/domain/grant.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { type Ending, type LiveConnection, LiveConnections } from '../../../src/server/live/live-connections.ts'
import { ownOrigins } from '../../../src/server/live/own-origins.ts'
import { WebSocketPlaces } from '../../../src/server/live/web-socket-places.ts'
import { mapWith, settingsFrom } from '../../config/support/maps.ts'

const settings = settingsFrom(mapWith({}))

function one(change: Partial<LiveConnection> = {}) {
  const ended: Ending[] = []
  const live: LiveConnection = {
    route: 'fhir',
    settings,
    isGood: () => true,
    end: (why) => ended.push(why),
    ...change,
  }
  return { live, ended }
}

test('whose credential counts no more ends at the next look, the others are looked at', () => {
  const all = new LiveConnections()
  let looks = 0
  const [good, bad] = [one({ look: () => looks++ }), one({ isGood: () => false })]
  const [forgetGood, forgetBad] = [all.add(good.live), all.add(bad.live)]
  all.look()
  expect([good.ended, bad.ended, looks]).toEqual([[], ['credential'], 1])
  forgetGood()
  forgetBad()
  expect(all.size).toBe(0)
  all.look()
  expect(bad.ended).toEqual(['credential'])
})

test('a reload ends what was let in by something that is different now, and nothing else', () => {
  const changed: readonly (readonly [string, string, readonly Ending[]])[] = [
    ['smart: true', 'smart: true', []],
    ['8080 }', '8080, timeouts: { drain: 3s } }', []],
    // Pages of the origin that the gateway had may open nothing any more.
    ['8080 }', '8080, publicUrl: https://elsewhere.example.org }', ['reload']],
    ['smart: true', 'smart: false', ['reload']],
    ['8101/fhir', '8101/other', ['reload']],
    ['credentials: [api-key, oauth2]', 'credentials: [oauth2]', ['reload']],
    ['/jwks }', '/other }', ['reload']],
    ['name: fhir,', 'name: other,', ['reload']],
  ]
  for (const [from, to, expected] of changed) {
    const all = new LiveConnections()
    const { live, ended } = one()
    const forget = all.add(live)
    all.reloaded(settingsFrom(mapWith({ replace: [from, to] })))
    expect(ended, to).toEqual(expected)
    forget()
  }
})

test('one that was on its way in while something changed ends like those that were open', async () => {
  const other = settingsFrom(mapWith({ replace: ['smart: true', 'smart: false'] }))
  const cases: readonly (readonly [(all: LiveConnections) => void, readonly Ending[]])[] = [
    [(all) => all.reloaded(other), ['reload']],
    [(all) => all.reloaded(settings), []],
    [(all) => all.close(), ['shutdown']],
  ]
  for (const [change, expected] of cases) {
    const all = new LiveConnections()
    change(all)
    const { live, ended } = one()
    const forget = all.add(live)
    await Promise.resolve()
    expect(ended).toEqual(expected)
    forget()
  }
})

test('the end of the process ends everything, and lets nothing new in', () => {
  const all = new LiveConnections()
  const { live, ended } = one()
  const forget = all.add(live)
  expect(all.isClosing).toBe(false)
  all.close()
  expect([ended, all.isClosing]).toEqual([['shutdown'], true])
  forget()
})

test('places are counted by route and by client, and given back once', () => {
  const places = new WebSocketPlaces()
  const grant = (client: string) => ({ kind: 'bearer', issuerUrl: 'https://i', client }) as unknown as Grant
  const limits = { connections: 3, perClient: 2 }
  const take = (who: Grant | undefined, address = 'a') => places.take('r', limits, who, address)
  const first = take(grant('one'))
  expect(isRefusal(take(grant('one')))).toBe(false)
  expect(take(grant('one'))).toMatchObject({ code: 'rate-limited' })
  expect(isRefusal(take(undefined, '192.0.2.1'))).toBe(false)
  expect(take(undefined, '192.0.2.2')).toMatchObject({ code: 'overloaded' })
  expect(isRefusal(places.take('other', limits, grant('one'), 'a'))).toBe(false)
  if (isRefusal(first)) throw new Error('refused')
  first()
  first()
  expect(places.count('r')).toBe(2)
  expect(isRefusal(take(undefined, '192.0.2.2'))).toBe(false)
})

test('nobody is many clients by the address, nor somebody else by the subject', () => {
  const places = new WebSocketPlaces()
  const grant = (facts: object) => ({ kind: 'bearer', issuerUrl: 'https://i', ...facts }) as unknown as Grant
  const take = (who: Grant | undefined, address = 'a') =>
    places.take('r', { connections: 9, perClient: 1 }, who, address)
  expect(isRefusal(take(undefined, '2001:db8::1'))).toBe(false)
  expect(take(undefined, '2001:db8:0:0:ffff::2')).toMatchObject({ code: 'rate-limited' })
  expect(isRefusal(take(undefined, '2001:db8:0:1::1'))).toBe(false)
  expect(isRefusal(take(grant({ subject: 'app' })))).toBe(false)
  expect(isRefusal(take(grant({ client: 'app', subject: 'x' })))).toBe(false)
  expect(take(grant({ client: 'app', subject: 'y' }))).toMatchObject({ code: 'rate-limited' })
})

test('own origins', () => {
  const of = (origins: readonly string[]) =>
    ownOrigins({ server: { publicUrl: 'https://api.example.org:443/base' }, cors: { origins } } as unknown as Settings)
  const listed = of(['https://app.example.org', 'http://localhost:3000'])
  for (const origin of ['https://api.example.org', 'https://app.example.org', 'http://localhost:3000']) {
    expect(listed(origin), origin).toBe(true)
  }
  for (const origin of [
    'null',
    '',
    'https://evil.example',
    'http://api.example.org',
    'https://app.example.org.evil.example',
    'http://localhost',
    '*',
  ]) {
    expect(listed(origin), origin).toBe(false)
  }
  expect(of(['*'])('https://anyone.example')).toBe(true)
})
