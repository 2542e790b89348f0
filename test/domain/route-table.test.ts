import { describe, expect, test } from 'vitest'
import { parseRequestTarget } from '../../src/domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import { compileRouteTable, type TableEntry } from '../../src/domain/route-table.ts'

type Entry = TableEntry<string>

/** `GET /a/{id}`, or `base /fhir` for a FHIR endpoint. The route is called by its own line. */
function entry(line: string): Entry {
  const [method, path] = line.split(' ') as [string, string]
  const template = path
    .split('/')
    .slice(1)
    .filter((segment) => segment !== '')
  return method === 'base' ? { route: line, template, base: true } : { route: line, method, template, base: false }
}

function find(lines: readonly string[], request: string): string | Refusal {
  const [method, target] = request.split(' ') as [string, string]
  const parsed = parseRequestTarget(target)
  if (isRefusal(parsed)) throw new Error(parsed.detail)
  const found = compileRouteTable(lines.map(entry)).find(method, parsed)
  return isRefusal(found) ? found : found.route
}

const MAP = [
  'base /fhir/R4',
  'base /fhir',
  'GET /prime/v1/health',
  'POST /prime/v1/wearables/events',
  'GET /prime/v1/{kind}/events',
  'GET /prime/*',
  'GET /files/{name}',
  'DELETE /files/{name}',
]

describe('refused', () => {
  test.each([
    'GET /',
    'GET /fhi',
    'GET /fhirx/Patient',
    'GET /FHIR/Patient',
    'GET /files',
    'GET /files/a/b',
    'GET /files/a/',
  ])('%s: no such route', (request) => expect(find(MAP, request)).toMatchObject({ code: 'route-unknown', status: 404 }))

  test.each<[string, string[]]>([
    ['POST /files/a', ['DELETE', 'GET', 'HEAD']],
    ['PUT /prime/v1/wearables/events', ['GET', 'HEAD', 'POST']],
    ['HEAD /only/post', ['POST']],
    ['OPTIONS /files/a', ['DELETE', 'GET', 'HEAD']],
    ['get /files/a', ['DELETE', 'GET', 'HEAD']],
  ])('%s: 405, Allow %j', (request, allow) => {
    const found = find([...MAP, 'POST /only/post'], request)
    expect(found).toMatchObject({ code: 'interaction-unknown', status: 405, extras: { allow } })
  })

  test('an empty table has no route', () => {
    expect(find([], 'GET /')).toMatchObject({ code: 'route-unknown' })
  })
})

describe('found', () => {
  test.each([
    // A FHIR endpoint takes its base and everything below it, by every method.
    ['GET /fhir/R4', 'base /fhir/R4'],
    ['GET /fhir/R4/', 'base /fhir/R4'],
    ['PATCH /fhir/R4/Patient/1', 'base /fhir/R4'],
    ['GET /fhir/R5/Patient', 'base /fhir'],
    ['GET /fhir/R4x', 'base /fhir'],
    ['GET /fhir/%524/Patient', 'base /fhir/R4'],
    // The longest literal prefix wins, whatever the order in the map.
    ['GET /prime/v1/health', 'GET /prime/v1/health'],
    ['GET /prime/v1/wearables/events', 'GET /prime/v1/{kind}/events'],
    ['POST /prime/v1/wearables/events', 'POST /prime/v1/wearables/events'],
    ['GET /prime/v2/x', 'GET /prime/*'],
    ['GET /prime', 'GET /prime/*'],
    ['GET /prime/', 'GET /prime/*'],
    ['GET /prime/v1/health/', 'GET /prime/*'],
    // What may be read may be asked for by HEAD.
    ['HEAD /files/a', 'GET /files/{name}'],
    ['HEAD /prime/v1/health', 'GET /prime/v1/health'],
    ['DELETE /files/a', 'DELETE /files/{name}'],
  ])('%s → %s', (request, route) => {
    expect(find(MAP, request)).toBe(route)
    expect(find([...MAP].reverse(), request)).toBe(route)
  })

  test('a base at the root takes everything that nothing longer takes', () => {
    expect(find(['base /', 'GET /a/*'], 'GET /')).toBe('base /')
    expect(find(['base /', 'GET /a/*'], 'GET /b/c')).toBe('base /')
    expect(find(['base /', 'GET /a/*'], 'GET /a/c')).toBe('GET /a/*')
  })

  test('a variable first segment is found after literal ones', () => {
    expect(find(['GET /{tenant}/x', 'GET /a/x'], 'GET /a/x')).toBe('GET /a/x')
    expect(find(['GET /{tenant}/x', 'GET /a/x'], 'GET /b/x')).toBe('GET /{tenant}/x')
  })

  test('only a whole segment is a variable', () => {
    expect(find(['GET /{id}.json'], 'GET /a.json')).toMatchObject({ code: 'route-unknown' })
    expect(find(['GET /{id}.json'], 'GET /secret')).toMatchObject({ code: 'route-unknown' })
  })

  test('a star that is not last is no wildcard', () => {
    expect(find(['GET /a/*/b'], 'GET /a/x/b')).toMatchObject({ code: 'route-unknown' })
  })
})
