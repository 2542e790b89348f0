// Requests that follow from each other's answers. `send` sends one and returns its answer, as `requests.js` describes both.

import { observationOf, outcome, searchset } from './expect.js'

const R4 = '/fhir/R4'
const FHIR_BODY = { 'Content-Type': 'application/fhir+json' }

/** A search, then its `next` links to the end: the pages together hold every match once. */
export async function followPages(send, gateway) {
  const inside = observationOf('3', 'laboratory')
  const page = (name, path, checks) => ({
    kind: 'page',
    name,
    as: 'reader',
    method: 'GET',
    path,
    status: 200,
    checks: { ...searchset('Observation', gateway, inside), ...checks },
  })
  const ids = []
  let path = `${R4}/Observation?patient=3&category=laboratory&_count=5`
  for (let number = 1; path !== undefined; number++) {
    const answer = await send(
      page(number === 1 ? 'first page' : 'next page', path, {
        'its page links are sealed': ({ json }) =>
          json.link.every(({ relation, url }) => relation === 'self' || url.startsWith(`${gateway}${R4}/_page/`)),
        'holds no match of an earlier page': ({ json }) =>
          json.entry.every(({ resource }) => !ids.includes(resource.id)),
        'is the last one only when all matches came': ({ json }) =>
          (nextLink(json) === undefined) === (ids.length + json.entry.length === json.total),
      }),
    )
    if (answer.status !== 200) return
    ids.push(...answer.json.entry.map((entry) => entry.resource.id))
    path = nextLink(answer.json)?.slice(gateway.length)
  }
}

/** Create, read, update against a stale and the current version, delete: the store is afterwards as it was before. */
export async function writeAndDelete(send, gateway) {
  const device = { resourceType: 'Device', status: 'active', patient: { reference: 'Patient/3' } }
  const write = (name, method, path, status, checks, more = {}) => ({
    kind: 'write',
    name,
    as: 'writer',
    method,
    path,
    status,
    checks,
    ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    headers: { ...FHIR_BODY, ...more.headers },
  })
  const created = await send(
    write(
      'create',
      'POST',
      `${R4}/Device`,
      201,
      {
        'says where, through the gateway': ({ header }) => header('Location').startsWith(`${gateway}${R4}/Device/`),
      },
      { body: device },
    ),
  )
  if (created.status !== 201) return
  const { id } = created.json
  const path = `${R4}/Device/${id}`
  await send({
    ...write('read what was created', 'GET', path, 200, {
      'is what was created': ({ json }) => json.id === id && json.meta.versionId === '1',
    }),
    headers: {},
  })
  await send(
    write(
      'update',
      'PUT',
      path,
      200,
      {
        'is version 2': ({ json }) => json.meta.versionId === '2' && json.status === 'inactive',
      },
      { body: { ...device, id, status: 'inactive' }, headers: { 'If-Match': 'W/"1"' } },
    ),
  )
  await send(write('delete', 'DELETE', path, 204, {}))
  await send({ ...write('read what was deleted', 'GET', path, 410, {}), headers: {} })
}

/** A transaction by the scope that opens only Bundles; one entry beyond it refuses the whole, and nothing is written. */
export async function pushBundle(send, gateway) {
  const bundle = (...entry) => JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
  const identifier = [{ system: 'urn:scopegate:k6', value: 'load' }]
  const put = {
    resource: { resourceType: 'Device', id: 'k6', identifier },
    request: { method: 'PUT', url: 'Device/k6' },
  }
  const push = (name, status, body, checks) => ({
    kind: 'write',
    name,
    as: 'pusher',
    method: 'POST',
    path: R4,
    headers: FHIR_BODY,
    body,
    status,
    checks,
  })
  await send(
    push('transaction', 200, bundle(put), {
      'every entry was written': ({ json }) =>
        json.type === 'transaction-response' && json.entry.every(({ response }) => /^20[01]/.test(response.status)),
      'says where, through the gateway': ({ json }) =>
        json.entry[0].response.location.startsWith(`${gateway}${R4}/Device/k6`),
    }),
  )
  await send(
    push('transaction with a delete', 403, bundle(put, { request: { method: 'DELETE', url: 'Device/k6' } }), {
      ...outcome('scope-insufficient', 'error="insufficient_scope"'),
    }),
  )
}

function nextLink({ link }) {
  return link.find(({ relation }) => relation === 'next')?.url
}
