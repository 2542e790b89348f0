// A gateway that serves by the last good route map stays healthy, whatever the file says by now.

import { expect, test } from 'vitest'
import { adminAddress } from '../../src/config/admin-address.ts'
import { mapWith, ref } from './support/maps.ts'

const DEFAULT = { listen: { host: '127.0.0.1', port: 9090 }, secure: false }

test.each([
  ['said as an address', 'admin: 127.0.0.1:7', { listen: { host: '127.0.0.1', port: 7 }, secure: false }],
  ['from the environment', `admin: "${ref('ADMIN')}"`, { listen: { host: '127.0.0.1', port: 8 }, secure: false }],
  [
    'with TLS',
    'admin: { listen: 127.0.0.1:7, clientCa: ca.pem }',
    { listen: { host: '127.0.0.1', port: 7 }, secure: true },
  ],
  ['unreadable', 'admin: here', DEFAULT],
  ['not said', 'workers: 1', DEFAULT],
])('%s, in a sound map and in one that is broken elsewhere', (_, written, expected) => {
  const sound = mapWith({ replace: ['8080 }', `8080, ${written} }`] })
  for (const map of [
    sound,
    sound.replace('upstream: hapi', 'upstream: happi, nonsense: 1').replace('version: 1', ''),
  ]) {
    expect(adminAddress(map, { ADMIN: '127.0.0.1:8' })).toEqual(expected)
  }
})

test.each(['', 'a: b: c', '- 1', 'server: 3'])('%j: the default', (map) =>
  expect(adminAddress(map, {})).toEqual(DEFAULT),
)
