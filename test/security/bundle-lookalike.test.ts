// A server that answers with a Bundle in another shape than FHIR's: some client reads it all the same, so nothing of it may pass.

import { expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { guardedBundle } from '../../src/proxy/guarded-bundle.ts'
import { compilePublicUrls } from '../../src/proxy/public-url.ts'

const foreign = { resourceType: 'Observation', id: 'secret-of-another', subject: { reference: 'Patient/p2' } }

function guarded(bundle: unknown): string {
  const out: Buffer[] = []
  const sink = { write: (bytes: Buffer) => void out.push(Buffer.from(bytes)) }
  const transform = guardedBundle({
    links: { urls: compilePublicUrls(['http://upstream.test/fhir'], 'https://gateway.test/fhir') },
    judge: { resource: (raw) => (raw.includes('"own"') ? 'release' : 'withhold') },
    mostHeld: 1_000_000,
    mayBeEmpty: true,
  } as Parameters<typeof guardedBundle>[0])
  const text = JSON.stringify(bundle)
  for (const byte of text) {
    const refusal = transform.write(Buffer.from(byte), sink as never)
    if (isRefusal(refusal)) return Buffer.concat(out).toString()
  }
  transform.end(sink as never)
  return Buffer.concat(out).toString()
}

const shapes: [string, unknown][] = [
  ['entry as an object', { resourceType: 'Bundle', type: 'searchset', entry: { resource: foreign } }],
  ['entry as a text', { resourceType: 'Bundle', entry: JSON.stringify(foreign) }],
  ['an entry that is a list', { resourceType: 'Bundle', entry: [[{ resource: foreign }]] }],
  ['a resource that is a list', { resourceType: 'Bundle', entry: [{ resource: [foreign] }] }],
  ['link as an object', { resourceType: 'Bundle', link: foreign, entry: [] }],
  ['a link that holds more', { resourceType: 'Bundle', link: [{ relation: 'self', url: 'x', extension: [foreign] }] }],
  ['meta that holds more', { resourceType: 'Bundle', meta: { lastUpdated: '2026', extension: [foreign] }, entry: [] }],
  ['id as an object', { resourceType: 'Bundle', id: foreign, entry: [] }],
  ['fullUrl as an object', { resourceType: 'Bundle', entry: [{ fullUrl: foreign, resource: { id: 'own' } }] }],
  [
    'search that holds more',
    { resourceType: 'Bundle', entry: [{ resource: { id: 'own' }, search: { mode: 'match', x: foreign } }] },
  ],
  ['search as a list', { resourceType: 'Bundle', entry: [{ resource: { id: 'own' }, search: [foreign] }] }],
  [
    'response that holds more',
    { resourceType: 'Bundle', entry: [{ resource: { id: 'own' }, response: { status: '200', body: foreign } }] },
  ],
  ['response as a list', { resourceType: 'Bundle', entry: [{ resource: { id: 'own' }, response: [foreign] }] }],
  [
    'an outcome that is none',
    { resourceType: 'Bundle', entry: [{ resource: { id: 'own' }, response: { outcome: foreign } }] },
  ],
  ['a member of another name', { resourceType: 'Bundle', Entry: [{ resource: foreign }], issues: foreign, entry: [] }],
  ['another resource', { ...foreign, contained: [foreign] }],
]

test.each(shapes)('%s', (_name, bundle) => {
  expect(guarded(bundle)).not.toContain('secret-of-another')
})

test('a Bundle as FHIR has it passes with its own entries', () => {
  const entry = {
    fullUrl: 'http://upstream.test/fhir/Observation/1',
    resource: { id: 'own' },
    search: { mode: 'match' },
  }
  const text = guarded({
    resourceType: 'Bundle',
    type: 'searchset',
    meta: { lastUpdated: '2026' },
    total: 7,
    entry: [entry],
  })
  expect(JSON.parse(text)).toEqual({
    resourceType: 'Bundle',
    type: 'searchset',
    meta: { lastUpdated: '2026' },
    entry: [{ ...entry, fullUrl: 'https://gateway.test/fhir/Observation/1' }],
  })
})
