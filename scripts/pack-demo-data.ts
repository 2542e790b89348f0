// Packs Synthea's transaction Bundles into demo-data/synthea-r4.ndjson.br: what a FHIR server would hold after loading
// them. Every resource gets a short id of its own type (Patient/1 … Patient/9 in the order of the files), `urn:uuid:`
// and conditional references become Type/id, references by identifier get their Type/id beside it, and every resource
// is printed as version 1. Run by hand when the data changes:
//   node scripts/pack-demo-data.ts DIRECTORY-OF-JSON-GZ

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gunzipSync } from 'node:zlib'
import { DEMO_DATA_TIME } from '../src/demo/demo-data.ts'
import { asArray, isObject, isResource, type Resource } from '../src/demo/fhir/resource.ts'

const OUTPUT = join(import.meta.dirname, '..', 'demo-data', 'synthea-r4.ndjson.br')

const directory = process.argv[2]
if (directory === undefined) {
  console.error('usage: node scripts/pack-demo-data.ts DIRECTORY-OF-JSON-GZ')
  process.exit(2)
}

interface Loaded {
  readonly fullUrl: string
  readonly resource: Resource
  readonly key: string
}

function loadBundles(from: string): Loaded[] {
  const first = ['hospitals.json.gz', 'practitioners.json.gz']
  const patients = readdirSync(from).filter((name) => name.endsWith('.json.gz') && !first.includes(name))
  const next = new Map<string, number>()
  return [...first, ...patients.sort()].flatMap((name) => {
    const bundle: unknown = JSON.parse(gunzipSync(readFileSync(join(from, name))).toString('utf8'))
    return asArray(isObject(bundle) ? bundle['entry'] : undefined).map((entry) => {
      if (!isObject(entry) || typeof entry['fullUrl'] !== 'string' || !isResource(entry['resource'])) {
        throw new Error(`${name}: an entry without fullUrl or resource`)
      }
      const { resourceType } = entry['resource']
      const number = (next.get(resourceType) ?? 0) + 1
      next.set(resourceType, number)
      return { fullUrl: entry['fullUrl'], resource: entry['resource'], key: `${resourceType}/${number}` }
    })
  })
}

const loaded = loadBundles(directory)
const byFullUrl = new Map(loaded.map(({ fullUrl, key }) => [fullUrl, key]))
const byIdentifier = new Map<string, string>()
for (const { resource, key } of loaded) {
  for (const identifier of asArray(resource['identifier'])) {
    if (isObject(identifier)) byIdentifier.set(`${resource.resourceType}?${identifierText(identifier)}`, key)
  }
}
const keys = new Set(loaded.map(({ key }) => key))

function identifierText(identifier: Record<string, unknown>): string {
  return `identifier=${String(identifier['system'])}|${String(identifier['value'])}`
}

/** Elements that hold a reference by identifier only, and the type that they mean. */
const BY_IDENTIFIER: Readonly<Record<string, string>> = {
  managingOrganization: 'Organization',
  practitioner: 'Practitioner',
  organization: 'Organization',
  location: 'Location',
}

function resolve(value: unknown, element: string): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, element))
  if (!isObject(value)) return value
  const { reference, identifier } = value
  if (typeof reference === 'string') return { ...value, reference: resolveReference(reference) }
  const type = BY_IDENTIFIER[element]
  if (type !== undefined && isObject(identifier) && value['resourceType'] === undefined) {
    const found = byIdentifier.get(`${type}?${identifierText(identifier)}`)
    if (found !== undefined) return { reference: found, ...value }
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, key)]))
}

function resolveReference(reference: string): string {
  if (reference.startsWith('#')) return reference
  const found = byFullUrl.get(reference) ?? byIdentifier.get(reference)
  if (found === undefined || !keys.has(found)) throw new Error(`nothing is known as ${reference}`)
  return found
}

const lines = loaded.map(({ resource, key }) => {
  const { resourceType, id: _id, meta, ...elements } = resource
  const stamped = { versionId: '1', lastUpdated: DEMO_DATA_TIME, ...meta }
  const [, id] = key.split('/')
  return JSON.stringify({ resourceType, id, meta: stamped, ...(resolve(elements, '') as object) })
})

const text = Buffer.from(`${lines.join('\n')}\n`)
const packed = brotliCompressSync(text, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  },
})
writeFileSync(OUTPUT, packed)
console.log(`${lines.length} resources, ${text.length} bytes, packed into ${packed.length} bytes`)
