import { describe, expect, test } from 'vitest'
import { type BundleRequest, readBundle } from '../../../src/domain/fhir/bundle.ts'
import { isRefusal, type Refusal } from '../../../src/domain/refusal.ts'
import { bundleOf, R4 } from '../../support/fhir-requests.ts'

type Request = Readonly<Record<string, unknown>>

const LIMIT = 5
const read = (text: string): BundleRequest | Refusal =>
  readBundle(text, { bundleEntries: LIMIT, searchParameters: 10 }, R4)
const entryOf = (request: Request, resource?: unknown): unknown =>
  resource === undefined ? { request } : { request, resource }
const readEntry = (request: Request, resource?: unknown): BundleRequest | Refusal =>
  read(bundleOf('transaction', [entryOf(request, resource)]))

function good(text: string): BundleRequest {
  const bundle = read(text)
  if (isRefusal(bundle)) throw new Error(bundle.detail)
  return bundle
}

const PATIENT = { resourceType: 'Patient' }
const OBSERVATION = { resourceType: 'Observation', status: 'final' }

describe('refused: no batch and no transaction', () => {
  test.each([
    '',
    'x',
    'null',
    '[]',
    '"Bundle"',
    '{}',
    '{"resourceType":"Patient"}',
    '{"resourceType":"Bundle"}',
    '{"resourceType":"Bundle","type":"collection","entry":[]}',
    '{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}',
    '{"resourceType":"Bundle","type":"searchset"}',
    '{"resourceType":"Bundle","type":"document"}',
    '{"resourceType":"Bundle","type":"message"}',
    '{"resourceType":"Bundle","type":"Batch","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}',
    '{"resourceType":"Bundle","type":["batch"]}',
    '{"resourceType":"Bundle","type":"batch"}',
    '{"resourceType":"Bundle","type":"batch","entry":[]}',
    '{"resourceType":"Bundle","type":"batch","entry":{}}',
    '{"resourceType":"Bundle","type":"batch","entry":null}',
    '{"resourceType":"Bundle","type":"transaction","entry":[null]}',
    '{"resourceType":"Bundle","type":"transaction","entry":[[]]}',
    '{"resourceType":"Bundle","type":"transaction","entry":[{}]}',
    '{"resourceType":"Bundle","type":"transaction","entry":[{"request":null}]}',
    '{"resourceType":"Bundle","type":"transaction","entry":[{"request":[]}]}',
    // Twice the same member, or one that a careless reader takes for the same.
    '{"resourceType":"Bundle","type":"batch","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1","url":"Patient/2"}}]}',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1","u\\u0072l":"Patient/2"}}]}',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1","URL":"Patient/2"}}]}',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","Method":"DELETE","url":"Patient/1"}}]}',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"},"Request":{"method":"DELETE","url":"Patient/1"}}]}',
    '{"resourceType":"Bundle","type":"batch","Entry":[],"entry":[{"request":{"method":"GET","url":"Patient/1"}}]}',
    '{"resourceType":"Bundle","Type":"transaction","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}',
  ])('%s', (text) => expect(read(text)).toMatchObject({ code: 'body-invalid', status: 400 }))

  test('too many entries', () => {
    const entries = (count: number): string =>
      bundleOf(
        'batch',
        Array.from({ length: count }, () => entryOf({ method: 'GET', url: 'Patient/1' })),
      )
    expect(read(entries(LIMIT + 1))).toMatchObject({ code: 'body-too-large', status: 413 })
    expect(isRefusal(read(entries(LIMIT)))).toBe(false)
  })

  test('one bad entry refuses a whole transaction, and the refusal says which', () => {
    const refusal = read(
      bundleOf('transaction', [
        entryOf({ method: 'GET', url: 'Patient/1' }),
        entryOf({ method: 'GET', url: 'Nothing/1' }),
      ]),
    )
    expect(refusal).toMatchObject({ code: 'interaction-unknown' })
    expect(isRefusal(refusal) && refusal.detail).toMatch(/^Bundle\.entry\[1\]: /)
  })

  test('one bad entry of a batch is refused by itself, and is never printed', () => {
    const good = JSON.stringify(entryOf({ method: 'GET', url: 'Patient/1' }))
    for (const bad of [
      JSON.stringify(entryOf({ method: 'GET', url: 'Nothing/1' })),
      'null',
      '[]',
      '{}',
      '{"request":[]}',
    ]) {
      for (const list of [
        [good, bad],
        [bad, good],
        [bad, good, bad],
      ]) {
        const bundle = read(`{"resourceType":"Bundle","type":"batch","entry":[${list.join(',')}]}`)
        if (isRefusal(bundle)) throw new Error(bundle.detail)
        expect(bundle.entries.map(({ fault }) => fault !== undefined)).toEqual(list.map((one) => one === bad))
        expect(JSON.parse(bundle.print()).entry).toHaveLength(1)
      }
    }
  })
})

describe('refused: an entry that could mean another request', () => {
  test.each<[Request, string]>([
    // The URL must be relative to the base.
    [{ method: 'GET', url: '' }, 'target-ambiguous'],
    [{ method: 'GET', url: '/Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: '//evil.example/Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'http://127.0.0.1/fhir/Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'HTTPS://x/Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'file:Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: './Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: '../Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient/../Group/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient/%2e%2e/Group/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient//1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient\\1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient/1#x' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient/1;x' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient/1?_method=DELETE' }, 'target-ambiguous'],
    [{ method: 'GET', url: ' Patient/1' }, 'target-ambiguous'],
    [{ method: 'GET', url: 'Patient?name=\ud800' }, 'target-ambiguous'],
    [{ method: 'GET', url: '?' }, 'body-invalid'],
    [{ method: 'GET', url: '?&' }, 'body-invalid'],
    // Wrong kinds of values.
    [{ method: 'GET' }, 'body-invalid'],
    [{ url: 'Patient/1' }, 'body-invalid'],
    [{ method: 'GET', url: 1 }, 'body-invalid'],
    [{ method: 'GET', url: ['Patient/1'] }, 'body-invalid'],
    [{ method: ['GET'], url: 'Patient/1' }, 'body-invalid'],
    [{ method: 'get', url: 'Patient/1' }, 'body-invalid'],
    [{ method: 'OPTIONS', url: 'Patient/1' }, 'body-invalid'],
    [{ method: 'TRACE', url: 'Patient/1' }, 'body-invalid'],
    // What cannot stand in a Bundle.
    [{ method: 'POST', url: '?' }, 'body-invalid'],
    [{ method: 'POST', url: '?x=1' }, 'body-invalid'],
    [{ method: 'GET', url: 'metadata' }, 'body-invalid'],
    [{ method: 'GET', url: 'Nothing/1' }, 'interaction-unknown'],
    [{ method: 'POST', url: 'Patient/1' }, 'interaction-unknown'],
    // An operation states no access of its own: among entries nothing would decide it.
    [{ method: 'GET', url: '$export' }, 'operation-not-listed'],
    [{ method: 'GET', url: 'Patient/1/$everything' }, 'operation-not-listed'],
    [{ method: 'POST', url: 'Patient/$match' }, 'operation-not-listed'],
    [{ method: 'POST', url: '$graphql' }, 'operation-not-listed'],
    // ifNoneExist belongs to a create.
    [{ method: 'PUT', url: 'Patient/1', ifNoneExist: 'identifier=x' }, 'body-invalid'],
    [{ method: 'GET', url: 'Patient/1', ifNoneExist: 'identifier=x' }, 'body-invalid'],
  ])('%j', (request, code) => expect(readEntry(request)).toMatchObject({ code }))

  test.each<[Request, unknown]>([
    [{ method: 'GET', url: 'Patient/1' }, PATIENT],
    [{ method: 'HEAD', url: 'Patient/1' }, PATIENT],
    [{ method: 'DELETE', url: 'Patient/1' }, PATIENT],
    [{ method: 'POST', url: 'Patient/_search?name=x' }, PATIENT],
    [{ method: 'POST', url: 'Patient' }, undefined],
    [{ method: 'PUT', url: 'Patient/1' }, undefined],
    [{ method: 'PATCH', url: 'Patient/1' }, undefined],
    [{ method: 'POST', url: 'Patient' }, null],
    [{ method: 'POST', url: 'Patient' }, [PATIENT]],
    [{ method: 'POST', url: 'Patient' }, 'Patient'],
    [{ method: 'POST', url: 'Patient' }, {}],
    [{ method: 'POST', url: 'Patient' }, OBSERVATION],
    [{ method: 'POST', url: 'Patient' }, { resourceType: ['Patient'] }],
    [
      { method: 'POST', url: 'Patient' },
      { resourceType: 'Patient', ResourceType: 'Observation' },
    ],
    [{ method: 'PUT', url: 'Patient/1' }, PATIENT],
    [
      { method: 'PUT', url: 'Patient/1' },
      { ...PATIENT, id: '2' },
    ],
    [
      { method: 'PUT', url: 'Patient/1' },
      { ...PATIENT, id: '1', ID: '2' },
    ],
    [
      { method: 'PUT', url: 'Patient/1' },
      { ...OBSERVATION, id: '1' },
    ],
    [{ method: 'PUT', url: 'Patient?identifier=x' }, OBSERVATION],
    [{ method: 'POST', url: 'Patient', ifNoneExist: 1 }, PATIENT],
    [{ method: 'POST', url: 'Patient', ifNoneExist: ['identifier=x'] }, PATIENT],
    [{ method: 'POST', url: 'Patient', ifNoneExist: null }, PATIENT],
  ])('%j with %j', (request, resource) => {
    expect(readEntry(request, resource)).toMatchObject({ code: 'body-invalid', status: 400 })
  })

  test.each(['', 'identifier=', 'Patient?identifier=x', 'identifier=%', 'identifier=\ud800'])(
    'ifNoneExist %j is no condition',
    (ifNoneExist) => {
      expect(readEntry({ method: 'POST', url: 'Patient', ifNoneExist }, PATIENT)).toMatchObject({
        code: 'header-ambiguous',
      })
    },
  )
})

describe('entries are requests of their own', () => {
  test.each<[Request, unknown, object]>([
    [{ method: 'GET', url: 'Patient/1' }, undefined, { code: 'read', type: 'Patient', id: '1' }],
    [{ method: 'HEAD', url: 'Patient/1' }, undefined, { code: 'read' }],
    [{ method: 'GET', url: 'Patient/1/_history/2' }, undefined, { code: 'vread' }],
    [{ method: 'GET', url: 'Patient?name=x' }, undefined, { code: 'search-type' }],
    [{ method: 'GET', url: '?_type=Patient' }, undefined, { code: 'search-system' }],
    [{ method: 'GET', url: 'Patient/1/Observation' }, undefined, { code: 'search-type', type: 'Observation' }],
    [{ method: 'GET', url: '_history' }, undefined, { code: 'history-system' }],
    // Judged as a search, not as a create.
    [{ method: 'POST', url: 'Patient/_search?name=x' }, undefined, { code: 'search-type' }],
    [{ method: 'POST', url: 'Patient' }, PATIENT, { code: 'create' }],
    [
      { method: 'POST', url: 'Bundle' },
      { resourceType: 'Bundle', type: 'batch' },
      { code: 'create', type: 'Bundle' },
    ],
    [
      { method: 'PUT', url: 'Patient/1' },
      { ...PATIENT, id: '1' },
      { code: 'update', id: '1' },
    ],
    [{ method: 'PUT', url: 'Patient?identifier=x' }, PATIENT, { code: 'update' }],
    [{ method: 'PATCH', url: 'Patient/1' }, { resourceType: 'Parameters' }, { code: 'patch' }],
    [{ method: 'DELETE', url: 'Patient/1' }, undefined, { code: 'delete' }],
    [{ method: 'DELETE', url: 'Patient?identifier=x' }, undefined, { code: 'delete' }],
  ])('%j', (request, resource, interaction) => {
    const bundle = readEntry(request, resource)
    expect(bundle).toMatchObject({ code: 'transaction', entries: [{ method: request['method'], interaction }] })
  })

  test('the resource of an entry is handed on as read', () => {
    const bundle = good(bundleOf('batch', [entryOf({ method: 'POST', url: 'Observation' }, OBSERVATION)]))
    expect(bundle.entries[0]!.resource).toEqual(OBSERVATION)
    expect(bundle.code).toBe('batch')
  })
})

describe('conditional references are searches', () => {
  const post = (resource: object): BundleRequest | Refusal =>
    readEntry({ method: 'POST', url: 'Observation' }, resource)
  const subject = (reference: string): object => ({ ...OBSERVATION, subject: { reference } })

  test.each([
    ['Patient?identifier=http://x|1', 'Patient', []],
    ['Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999919299', 'Practitioner', []],
    ['Patient?general-practitioner:Practitioner.name=x', 'Patient', ['Practitioner']],
    ['Patient?_has:Observation:patient:code=x', 'Patient', ['Observation']],
  ])('%s', (reference, type, reached) => {
    const bundle = post(subject(reference))
    const lookup = isRefusal(bundle) ? undefined : bundle.entries[0]!.lookups[0]?.lookup
    expect(lookup).toMatchObject({ code: 'search-type', type })
    expect(lookup!.search.reaches.map((reach) => reach.type)).toEqual(reached)
  })

  test('at any depth, in arrays, contained resources and extensions', () => {
    const bundle = post({
      ...OBSERVATION,
      contained: [{ resourceType: 'Encounter', subject: { reference: 'Patient?identifier=1' } }],
      performer: [{ reference: 'Practitioner/1' }, { reference: 'Practitioner?identifier=2' }],
      extension: [{ url: 'http://x', valueReference: { reference: 'Group?identifier=3' } }],
    })
    const types = isRefusal(bundle) ? [] : bundle.entries[0]!.lookups.map(({ lookup }) => lookup.type)
    expect(types.sort()).toEqual(['Group', 'Patient', 'Practitioner'])
  })

  test('in a member that is a reference to a server that ignores case only: refused', () => {
    const resource = { ...OBSERVATION, subject: { Reference: 'Patient?identifier=1' } }
    expect(post(resource)).toMatchObject({ code: 'body-invalid' })
  })

  test.each(['Patient/1', 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a', '#c1', 'http://x/fhir/Patient/1'])(
    '%s is none',
    (reference) => {
      const bundle = post(subject(reference))
      expect(isRefusal(bundle) ? bundle : bundle.entries[0]!.lookups).toEqual([])
    },
  )

  test.each([
    'Patient?',
    'Patient?identifier=',
    'Patient?_count=1',
    'Patient/1?identifier=x',
    'Nothing?identifier=x',
    '?identifier=x',
    '/Patient?identifier=x',
    'http://x/fhir/Patient?identifier=x',
    'Patient?identifier=x#y',
    'Patient?_IDENTIFIER=%',
    'Patient?identifier=a b',
    '../Patient?identifier=x',
    'Patient/_search?identifier=x',
    'Patient/1/Observation?code=x',
    '$export?identifier=x',
  ])('%s can be read in more than one way', (reference) => {
    expect(post(subject(reference))).toMatchObject({ code: 'body-invalid' })
  })
})

describe('what goes upstream', () => {
  test('is the text of the client when every url is canonical', () => {
    const text =
      ' {"resourceType" : "Bundle","type":"transaction",\n"entry":[ {"fullUrl":"urn:uuid:1","request":{"method":"POST","url":"Observation"},' +
      '"resource":{"resourceType":"Observation","valueQuantity":{"value":1.00},"note":"a\\u0041\\/"}} ] } '
    expect(good(text).print()).toBe(text)
  })

  test('has each url and ifNoneExist replaced by its canonical print, and every other byte kept', () => {
    const text = (url1: string, exist: string, url2: string): string =>
      `{"entry":[{"resource":{"resourceType":"Patient","x":1.00},"request":{"url":${url1} ,"method":"POST", "ifNoneExist" :${exist}}},` +
      `\t{"request":{"method":"GET","url" : ${url2}}}],"type":"batch","resourceType":"Bundle","meta":{"tag":[ ]}}`
    const given = text('"%50atient\\/"', '"identifier=http:\\/\\/x|1&name="', '"Patient?name=J\\u0026active=&x=a|b"')
    expect(good(given).print()).toBe(text('"Patient"', '"identifier=http://x%7C1"', '"Patient?name=J&x=a%7Cb"'))
  })

  test('an escaped spelling of a canonical url is the same url', () => {
    const text =
      '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"\\u0050atient/1"}}]}'
    expect(good(text).print()).toBe(text)
  })

  test('parameters without a value are left out of a search, as when it is sent alone', () => {
    const text = bundleOf('batch', [
      entryOf({ method: 'GET', url: 'Observation?patient=&code=x' }),
      entryOf({ method: 'DELETE', url: 'Patient/?identifier=x&name=' }),
      entryOf({ method: 'GET', url: '?_type=Patient&_id=' }),
    ])
    const urls = JSON.parse(good(text).print()).entry.map((entry: { request: Request }) => entry.request['url'])
    expect(urls).toEqual(['Observation?code=x', 'Patient?identifier=x', '?_type=Patient'])
  })

  test('names of the client cannot shadow what is read', () => {
    const text =
      '{"resourceType":"Bundle","type":"batch","__proto__":{"entry":[]},"entry":[{"__proto__":{"request":{"method":"DELETE","url":"Patient/1"}},"request":{"method":"GET","url":"Patient/1"}}]}'
    expect(good(text).entries).toMatchObject([{ interaction: { code: 'read' } }])
  })
})
