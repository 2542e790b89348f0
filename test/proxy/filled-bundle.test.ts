// Pages of a search that finds more than may be seen: nothing of how many there are, and how full they are, gets out.

import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type FilledBundleOptions, filledBundle } from '../../src/proxy/filled-bundle.ts'
import { compilePublicUrls } from '../../src/proxy/public-url.ts'

const UPSTREAM = 'http://store.test/base'
const urls = compilePublicUrls([UPSTREAM], 'https://public.test/fhir')

/** A page of entries `+a` (may be seen) and `-b` (may not), and where the next one is. */
function page(entries: string, next?: string): string {
  const entry = entries
    .split(' ')
    .filter(Boolean)
    .map((one) => ({ fullUrl: `${UPSTREAM}/X/${one.slice(1)}`, resource: { resourceType: 'X', id: one } }))
  const link = [
    { relation: 'self', url: `${UPSTREAM}/X` },
    ...(next === undefined ? [] : [{ relation: 'next', url: `${UPSTREAM}?p=${next}` }]),
  ]
  return JSON.stringify({ resourceType: 'Bundle', id: 'b', type: 'searchset', total: 99, link, entry })
}

interface Seen {
  readonly ids: readonly string[]
  readonly next: string | undefined
  readonly fetched: readonly string[]
  readonly counts: Readonly<Record<string, number>>
  readonly text: string
}

async function read(
  first: string,
  others: Readonly<Record<string, string | undefined>> = {},
): Promise<Seen | 'refused'> {
  const fetched: string[] = []
  const counts: Record<string, number> = { released: 0, withheld: 0 }
  const options: FilledBundleOptions = {
    type: 'searchset',
    links: {
      urls,
      self: 'https://public.test/fhir/X?asked',
      sealPage: (_relation, url) => url.replace(UPSTREAM, 'sealed'),
    },
    judge: () => ({ resource: (raw) => (raw.includes('"id":"+') ? 'release' : 'withhold') }),
    mostHeld: 100_000,
    counted: (result, count) => {
      counts[result]! += count
    },
    fetch: async (url) => {
      const name = url.slice(url.indexOf('=') + 1)
      fetched.push(name)
      return others[name] === undefined ? undefined : Buffer.from(others[name])
    },
  }
  const transform = filledBundle(options)
  const written: Buffer[] = []
  const out = { write: (bytes: Buffer) => void written.push(bytes) }
  for (const byte of Buffer.from(first)) if (isRefusal(transform.write(Buffer.of(byte), out))) return 'refused'
  if ((await transform.end(out)) !== undefined) return 'refused'
  const text = Buffer.concat(written).toString()
  const { entry = [], link } = JSON.parse(text)
  const next = link.find(({ relation }: { relation: string }) => relation === 'next')?.url
  return { ids: entry.map(({ resource }: { resource: { id: string } }) => resource.id), next, fetched, counts, text }
}

test('the Bundle around is ours, the entries are the server’s, with public addresses', async () => {
  const seen = (await read(page('+a -b +c'))) as Seen
  expect(JSON.parse(seen.text)).toEqual({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: ['a', 'c'].map((id) => ({
      fullUrl: `https://public.test/fhir/X/${id}`,
      resource: { resourceType: 'X', id: `+${id}` },
    })),
    link: [{ relation: 'self', url: 'https://public.test/fhir/X?asked' }],
  })
  expect(seen.counts).toEqual({ released: 2, withheld: 1 })
})

describe('`next` only where something that may be seen follows', () => {
  test.each<
    [name: string, first: string, others: Record<string, string>, ids: readonly string[], next: string | undefined]
  >([
    ['nothing follows', page('+a'), {}, ['+a'], undefined],
    ['only what is withheld follows', page('+a', '2'), { 2: page('-b', '3'), 3: page('-c') }, ['+a'], undefined],
    ['an empty page follows', page('+a', '2'), { 2: page('') }, ['+a'], undefined],
    ['something follows', page('+a', '2'), { 2: page('-b +c') }, ['+a'], 'sealed?p=2'],
    ['something follows later', page('+a', '2'), { 2: page('-b', '3'), 3: page('+c') }, ['+a'], 'sealed?p=3'],
    ['nothing at all', page(''), {}, [], undefined],
    ['nothing that may be seen', page('-a', '2'), { 2: page('-b') }, [], undefined],
    ['a circle', page('-a', '2'), { 2: page('-b', '3'), 3: page('-c', '2') }, [], undefined],
    ['a circle of one', page('+a', '2'), { 2: page('-b', '2') }, ['+a'], undefined],
  ])('%s', async (_, first, others, ids, next) => {
    const seen = (await read(first, others)) as Seen
    expect([seen.ids, seen.next]).toEqual([ids, next])
  })

  test('what is withheld makes no difference to a byte', async () => {
    const alone = (await read(page('+a'))) as Seen
    const among = (await read(page('-x +a -y', '2'), { 2: page('-z -z', '3'), 3: page('-z') })) as Seen
    expect(among.text).toBe(alone.text)
  })
})

test('pages on which nothing is left are skipped', async () => {
  const seen = (await read(page('-a', '2'), { 2: page('-b', '3'), 3: page('-c +d', '4'), 4: page('-e') })) as Seen
  expect([seen.ids, seen.next]).toEqual([['+d'], undefined])
  expect(seen.fetched).toEqual(['2', '3', '4'])
  expect(seen.counts).toEqual({ released: 1, withheld: 3 })
})

test('within bounds: then `next` says how far the search for it came', async () => {
  const others: Record<string, string> = {}
  for (let i = 2; i < 40; i++) others[i] = page('-x', String(i + 1))
  const empty = (await read(page('-a', '2'), others)) as Seen
  expect([empty.ids, empty.next, empty.fetched.length]).toEqual([[], 'sealed?p=12', 10])
  const some = (await read(page('+a', '2'), others)) as Seen
  expect([some.ids, some.next]).toEqual([['+a'], 'sealed?p=12'])
})

test('a page that cannot be had is left to the client to ask for', async () => {
  for (const others of [{}, { 2: '{"resourceType":"Bundle","entry":[{' }, { 2: '{"resourceType":"Patient"}' }]) {
    expect(await read(page('+a', '2'), others)).toMatchObject({ ids: ['+a'], next: 'sealed?p=2' })
    expect(await read(page('-a', '2'), others)).toMatchObject({ ids: [], next: 'sealed?p=2' })
  }
})

test.each(['{"resourceType":"Patient"}', '{"resourceType":"Bundle","entry":[', '[]', `${page('+a')}}`])(
  'no Bundle: %s',
  async (first) => {
    expect(await read(first)).toBe('refused')
  },
)
