// Bundle links: nothing of the upstream gets out, resources stay byte for byte, and no cut of the bytes hides a URL.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type BundleLinks, bundleLinks } from '../../src/proxy/bundle-links.ts'
import { compilePublicUrls } from '../../src/proxy/public-url.ts'

const urls = compilePublicUrls(['http://10.0.0.1:8101/fhir'], 'https://api.example.org/fhir/R4')
const UP = 'http://10.0.0.1:8101/fhir'
const PUBLIC = 'https://api.example.org/fhir/R4'

function rewrite(text: string, options: Partial<BundleLinks> = {}, cuts: readonly number[] = []): string | undefined {
  const bytes = Buffer.from(text)
  const transform = bundleLinks({ urls, ...options })
  const out: Buffer[] = []
  const sink = { write: (piece: Buffer) => void out.push(Buffer.from(piece)) }
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const to of [...places, bytes.length]) {
    if (transform.write(bytes.subarray(from, to), sink) !== undefined) return undefined
    from = to
  }
  return isRefusal(transform.end(sink)) ? undefined : Buffer.concat(out).toString()
}

const resource = {
  resourceType: 'Observation',
  id: '1',
  note: [{ text: `see ${UP}/Patient/1` }],
  link: [{ relation: 'next', url: UP }],
  fullUrl: UP,
}

const searchset = {
  resourceType: 'Bundle',
  type: 'searchset',
  total: 2,
  link: [
    { relation: 'self', url: `${UP}/Observation?code=1&secret=x` },
    { relation: 'next', url: `${UP}?_getpages=abc` },
    { relation: 'alternate', url: `${UP}/x` },
    { relation: 'elsewhere', url: 'https://other.example/x' },
    { relation: 'bad', url: 'http://10.0.0.1:8101/admin' },
  ],
  entry: [
    {
      fullUrl: `${UP}/Observation/1`,
      link: [{ relation: 'alternate', url: `${UP}/Observation/1` }],
      resource,
      search: { mode: 'match' },
    },
    { fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', resource },
    { fullUrl: 'http://10.0.0.1:8101/other/Observation/1', resource },
  ],
}

const rewritten = {
  ...searchset,
  link: [
    { relation: 'self', url: `${PUBLIC}/Observation?code=1` },
    { relation: 'next', url: `${PUBLIC}/_page/sealed-next` },
    { relation: 'alternate', url: `${PUBLIC}/x` },
    { relation: 'elsewhere', url: 'https://other.example/x' },
  ],
  entry: [
    {
      fullUrl: `${PUBLIC}/Observation/1`,
      link: [{ relation: 'alternate', url: `${PUBLIC}/Observation/1` }],
      resource,
      search: { mode: 'match' },
    },
    { fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', resource },
    { resource },
  ],
}

const options: Partial<BundleLinks> = {
  self: `${PUBLIC}/Observation?code=1`,
  sealPage: (relation) => `${PUBLIC}/_page/sealed-${relation}`,
}

test.each([undefined, 2, '\t'])('a searchset, indented by %j', (indent) => {
  const result = rewrite(JSON.stringify(searchset, null, indent), options)
  expect(JSON.parse(result!)).toEqual(rewritten)
  // The resources, which hold look-alikes, are the same bytes.
  const bytes = indent === undefined ? JSON.stringify(resource) : JSON.stringify(resource, null, indent).split('\n')[1]!
  expect(result!.split(bytes).length).toBe(JSON.stringify(searchset, null, indent).split(bytes).length)
})

test('no cut of the bytes changes the result', () => {
  for (const text of [
    JSON.stringify(searchset),
    JSON.stringify(searchset, null, 2),
    JSON.stringify(searchset).replaceAll('/', '\\/'),
  ]) {
    const whole = rewrite(text, options)
    for (let cut = 0; cut < Buffer.byteLength(text); cut++) expect(rewrite(text, options, [cut])).toBe(whole)
    expect(
      rewrite(
        text,
        options,
        Array.from({ length: text.length }, (_, i) => i),
      ),
    ).toBe(whole)
  }
  fc.assert(
    fc.property(fc.array(fc.nat()), (cuts) => {
      expect(rewrite(JSON.stringify(searchset), options, cuts)).toBe(rewrite(JSON.stringify(searchset), options))
    }),
  )
})

describe('spellings', () => {
  test.each([
    ['escaped slashes', '"fullUrl":"http:\\/\\/10.0.0.1:8101\\/fhir\\/Patient\\/1"'],
    ['escaped letters', '"fullUrl":"http://10.0.0.1:8101/fh\\u0069r/Patient/1"'],
    ['an escaped key', '"full\\u0055rl":"http://10.0.0.1:8101/fhir/Patient/1"'],
    ['capital letters', '"fullUrl":"HTTP://10.0.0.1:8101/fhir/Patient/1"'],
    [
      'two members of one name',
      '"fullUrl":"http://10.0.0.1:8101/fhir/Patient/1","fullUrl":"http://10.0.0.1:8101/fhir/Patient/1"',
    ],
  ])('%s', (_name, member) => {
    const result = rewrite(`{"resourceType":"Bundle","entry":[{${member}}]}`)!
    expect(result).not.toMatch(/10\.0\.0\.1/)
    expect(JSON.parse(result).entry[0].fullUrl).toBe(`${PUBLIC}/Patient/1`)
  })

  test('of two members of one name within a link only the one that was read is left', () => {
    const result = rewrite(
      '{"link":[{"relation":"next","url":"http://10.0.0.1:8101/fhir?a","relation":"self","url":"http://10.0.0.1:8101/fhir?b"}]}',
    )
    expect(result).toBe(`{"link":[{"relation":"self","url":"${PUBLIC}?b"}]}`)
  })

  test('links that are no links go', () => {
    expect(rewrite('{"link":["http://10.0.0.1:8101/fhir",{"relation":"next"},{"url":7}],"total":0}')).toBe(
      '{ "total":0}',
    )
  })
})

test('page links that cannot be sealed go, and an empty list of links with them', () => {
  const text = JSON.stringify({ resourceType: 'Bundle', link: [{ relation: 'next', url: `${UP}?p` }], total: 0 })
  expect(JSON.parse(rewrite(text, { sealPage: () => undefined })!)).toEqual({ resourceType: 'Bundle', total: 0 })
})

test('the seal gets the relation and the URL as the upstream wrote it', () => {
  const seen: unknown[] = []
  const link = ['self', 'next', 'previous', 'prev', 'first', 'last', 'alternate'].map((relation) => ({
    relation,
    url: `/fhir?${relation}`,
  }))
  rewrite(JSON.stringify({ link }), { sealPage: (...args) => void seen.push(args) })
  expect(seen).toEqual(['next', 'previous', 'prev', 'first', 'last'].map((relation) => [relation, `/fhir?${relation}`]))
})

test('answers to a batch: locations, and searchsets within', () => {
  const batch = {
    resourceType: 'Bundle',
    type: 'batch-response',
    entry: [
      { response: { status: '201', location: `${UP}/Patient/1/_history/1` } },
      { response: { status: '201', location: 'Patient/2/_history/1' } },
      { request: { method: 'PUT', url: `${UP}/Patient/1` }, response: { status: '200', outcome: { fullUrl: UP } } },
      { resource: searchset, response: { status: '200' } },
      {
        resource: {
          resourceType: 'Bundle',
          type: 'document',
          link: [{ relation: 'next', url: UP }],
          entry: [{ fullUrl: `${UP}/X/1` }],
        },
      },
    ],
  }
  const result = JSON.parse(rewrite(JSON.stringify(batch), { nested: true, sealPage: options.sealPage })!)
  expect(result.entry[0].response.location).toBe(`${PUBLIC}/Patient/1/_history/1`)
  expect(result.entry[1].response.location).toBe('Patient/2/_history/1')
  expect(result.entry[2].request.url).toBe(`${PUBLIC}/Patient/1`)
  expect(result.entry[2].response.outcome.fullUrl).toBe(UP)
  expect(result.entry[3].resource.link[1].url).toBe(`${PUBLIC}/_page/sealed-next`)
  expect(result.entry[3].resource.entry[0].fullUrl).toBe(`${PUBLIC}/Observation/1`)
  expect(result.entry[3].resource.entry[0].resource).toEqual(resource)
  expect(result.entry[4].resource).toEqual(batch.entry[4]!.resource)
})

test('a Bundle that was stored is content: a search for it leaves it alone', () => {
  const stored = { resourceType: 'Bundle', type: 'searchset', entry: [{ fullUrl: `${UP}/X/1` }] }
  const result = JSON.parse(rewrite(JSON.stringify({ entry: [{ resource: stored }] }))!)
  expect(result.entry[0].resource).toEqual(stored)
})

test('Parameters that hold a Bundle', () => {
  const parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'return', resource: searchset }, { part: [{ resource: searchset }] }],
  }
  const result = JSON.parse(rewrite(JSON.stringify(parameters), options)!)
  expect(result.parameter[0].resource).toEqual(rewritten)
  expect(result.parameter[1].part[0].resource).toEqual(rewritten)
})

test.each(['{"entry":[}', '{"entry":', '', 'not json'])('broken JSON %j is a fault', (text) => {
  expect(rewrite(text)).toBeUndefined()
})

test('a URL without end is a fault, not a growing heap', () => {
  const transform = bundleLinks({ urls })
  const sink = { write: () => {} }
  let refusal = transform.write(Buffer.from('{"entry":[{"fullUrl":"'), sink)
  for (let i = 0; i < 10 && refusal === undefined; i++) refusal = transform.write(Buffer.alloc(65_536, 'x'), sink)
  expect(refusal?.code).toBe('upstream-broken')
})

test.each([
  { resourceType: 'Patient', id: '1', link: [{ other: { reference: 'Patient/2' }, type: 'seealso' }] },
  [],
  'text',
  7,
  null,
])('what is no Bundle is not in the way', (value) => {
  const result = rewrite(JSON.stringify(value))
  expect(result).toBeDefined()
})
