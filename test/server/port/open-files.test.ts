// How many connections a process takes, by its limit of open files and by the route map.

import { expect, test } from 'vitest'
import { mostConnections } from '../../../src/server/port/open-files.ts'

const settings = (connections: number | undefined, upstreams: readonly [number, number][] = [[64, 1]]) =>
  ({
    server: { limits: { connections } },
    upstreams: Object.fromEntries(
      upstreams.map(([each, urls], index) => [`u${index}`, { connections: each, url: Array(urls).fill('http://u') }]),
    ),
  }) as unknown as Parameters<typeof mostConnections>[0]

test.each<[string, ReturnType<typeof settings>, number, number]>([
  ['plenty of files: the default', settings(undefined), 1_048_576, 16_384],
  ['what is left beside upstreams and the rest', settings(undefined), 4_096, 4_096 - 512 - 64],
  [
    'every URL of every upstream counts',
    settings(undefined, [
      [100, 2],
      [50, 1],
    ]),
    4_096,
    4_096 - 512 - 250,
  ],
  ['fewer when told so', settings(100), 4_096, 100],
  ['never more than there are files for', settings(50_000), 4_096, 4_096 - 512 - 64],
  ['few files: a quarter of them at least', settings(undefined, [[1_000, 4]]), 1_024, 256],
])('%s', (_, map, files, most) => {
  expect(mostConnections(map, files)).toBe(most)
})

test('this system tells its limit, or a usual one counts', () => {
  expect(mostConnections(settings(undefined))).toBeGreaterThan(0)
})
