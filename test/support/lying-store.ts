// A FHIR server that reads by id and otherwise ignores what it is asked: every search and history holds all that it has, in any
// order, with false words about each entry and a total of everything.

import type { Arrived, Script, Scripted } from './recording-upstream.ts'

// biome-ignore lint/suspicious/noExplicitAny: resources of tests are of many shapes
type Resource = any

export function lyingStore(resources: readonly Resource[], base: () => string): Script {
  return (arrived) => answer(arrived, resources, base())
}

function answer({ method, url, text }: Arrived, resources: readonly Resource[], base: string): Scripted {
  const path = url.replace(/^\/base\/?/, '').split('?', 1)[0]!
  if (method === 'POST' && path === '') return { body: answers(JSON.parse(text), resources, base) }
  const [type = '', id = '', third = '', version] = path.split('/')
  if (third === '_history' && version === undefined) return { body: everything('history', resources, base) }
  const byId = id !== '' && !id.startsWith('_') && !id.startsWith('$') && (third === '' || version !== undefined)
  if (!byId)
    return { body: everything(id === '_history' || type === '_history' ? 'history' : 'searchset', resources, base) }
  const found = resources.find((one) => one.resourceType === type && one.id === id)
  if (found === undefined) return { status: 404, headers: { 'x-from': 'upstream' }, body: NOT_FOUND }
  const tag = found.meta?.versionId ?? '1'
  return {
    headers: { etag: `W/"${tag}"`, 'last-modified': 'Fri, 17 May 2024 12:00:00 GMT', 'x-total-count': '7' },
    body: found,
  }
}

const NOT_FOUND = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'not-found', diagnostics: 'known to be gone' }],
}
const MODES = ['include', 'match', 'outcome', undefined]

function everything(type: string, resources: readonly Resource[], base: string): object {
  const entry = [...resources].reverse().map((resource, i) => ({
    fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
    resource,
    ...(type === 'history'
      ? { request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` }, response: { status: '200' } }
      : { search: { mode: MODES[i % 4] } }),
  }))
  return { resourceType: 'Bundle', type, total: resources.length, entry }
}

function answers({ type, entry }: Resource, resources: readonly Resource[], base: string): object {
  return {
    resourceType: 'Bundle',
    type: `${type}-response`,
    entry: entry.map(({ request }: Resource) => {
      const given = answer(
        { method: request.method, url: `/base/${request.url}`, text: '' } as Arrived,
        resources,
        base,
      )
      if (given.status === 404) return { response: { status: '404 Not Found', outcome: given.body } }
      return { resource: given.body, response: { status: '200 OK', etag: 'W/"1"' } }
    }),
  }
}
