import { expect, test } from 'vitest'
import { mapWithFhirKey, mapWithRoute, said, settingsFrom } from '../support/maps.ts'

const withKey = (keys: string, match = 'GET /x') =>
  mapWithRoute(`{ name: x, upstream: hapi, match: { ${match}: public }, ${keys} }`)
const limits = (keys: string) => {
  const route = settingsFrom(withKey(keys)).routes.find(({ name }) => name === 'x')!
  return route.kind === 'plain' ? route.webSocket : undefined
}

test('on, off, and within other limits', () => {
  const usual = { message: 1024 * 1024, rate: 100, idle: 300_000, connections: 1_000, perClient: 50 }
  expect(limits('webSocket: true')).toEqual(usual)
  expect(limits('webSocket: { message: 64KiB, idle: 30s }')).toEqual({ ...usual, message: 65_536, idle: 30_000 })
  expect(limits('webSocket: false')).toBeUndefined()
  expect(limits('rewrite: { from: /x, to: /y }')).toBeUndefined()
})

test('it is refused where nothing can open one', () => {
  expect(said(withKey('webSocket: true', 'POST /x')).problems).toEqual([
    expect.stringContaining('WebSockets are opened by GET, and no line of `match` is one'),
  ])
  expect(said(withKey('webSocket: false', 'POST /x')).problems).toEqual([])
  expect(said(mapWithFhirKey('webSocket: true')).problems).toEqual([expect.stringContaining('webSocket')])
  expect(said(withKey('webSocket: { message: 0B }')).problems).toHaveLength(1)
})
