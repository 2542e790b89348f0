// What the Scope Reference promises, asked for: each endpoint that it shows for a scope, with a credential that has this scope alone.
// The gateway refuses none of them; what the product behind says is its own affair.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ask, verdictOf } from '../support/http-client.ts'
import { type CatalogueDemo, startCatalogueDemo } from './support/catalogue-demo.ts'
import { allCredentials, type Credential, makeKeys } from './support/credentials.ts'
import { PATIENT } from './support/endpoint.ts'
import { CONTEXT_SCOPES, SEED_SCOPES } from './support/seed-scopes.ts'

let demo: CatalogueDemo
let credentials: readonly Credential[]
const shown = new Map<string, readonly string[]>()

beforeAll(async () => {
  const keys = makeKeys()
  demo = await startCatalogueDemo(keys.map(({ key }) => key))
  credentials = await allCredentials(demo, keys)
  const { json } = await demo.gateway.ask('GET /scopes.json')
  for (const { scopes } of json.categories) {
    for (const { name, endpoints } of scopes)
      shown.set(
        name,
        endpoints.map(({ method, path }: { method: string; path: string }) => `${method} ${path}`),
      )
  }
})
afterAll(() => demo?.close())

/** Of the demo's data, and the launch patient's where a type has any. */
const IDS: Readonly<Record<string, string>> = { Patient: PATIENT, Observation: '9001', Group: '1', Device: '1' }

/** A request as one would send it to the endpoint that is shown. */
function requestTo(endpoint: string, scope: string): readonly [line: string, ask: Ask] {
  const type = /Device|device/.test(`${endpoint} ${scope}`) ? 'Device' : 'Observation'
  const line = endpoint
    .replace('{type}', type)
    .replace(/^(P\w+|DELETE) (.*)\{id\}/, '$1 $2catalogue-page')
    .replace(/(\w+)\/\{id\}/, (_, before: string) => `${before}/${IDS[before] ?? '7f3a'}`)
    .replace(/\*$/, 'anything')
  const [, method, path = ''] = /^(\w+) (.*)$/.exec(line)!
  if (line.includes('$export')) return [line, { headers: { prefer: 'respond-async' } }]
  if (method === 'GET' || method === 'DELETE') return [line, {}]
  if (method === 'PATCH') {
    const patch = [{ op: 'add', path: '/language', value: 'en' }]
    return [line, { headers: { 'content-type': 'application/json-patch+json' }, body: JSON.stringify(patch) }]
  }
  return [line, { body: bodyFor(path, type) }]
}

function bodyFor(path: string, type: string): object {
  if (!path.includes('/fhir/')) return {}
  const subject = { reference: `Patient/${PATIENT}` }
  const named = /\/(Patient|Observation|Device)(?:\/([^/$]+))?(?:\/|$)/.exec(path)
  const id = named?.[2] === undefined ? {} : { id: named[2] }
  const resource = {
    resourceType: named?.[1] ?? type,
    ...id,
    ...(type === 'Device' ? { patient: subject } : { subject }),
  }
  if (named !== null) return path.endsWith('$match') ? { resourceType: 'Parameters', parameter: [] } : resource
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ request: { method: 'POST', url: type }, resource }],
  }
}

test.each(SEED_SCOPES.map(({ name }) => name))('%s', async (scope) => {
  const endpoints = shown.get(scope)!
  expect(endpoints.length > 0).toBe(!CONTEXT_SCOPES.includes(scope))
  const carriers = credentials.filter((one) => one.scope === scope && one.carried && !one.lacksPatient)
  for (const endpoint of endpoints) {
    for (const { headers } of carriers) {
      const [line, ask] = requestTo(endpoint, scope)
      const answer = await demo.gateway.ask(line, { ...ask, headers: { ...ask.headers, ...headers } })
      expect([endpoint, verdictOf(answer)]).toEqual([endpoint, expect.stringMatching(/^\d{3}$/)])
      expect([endpoint, answer.status]).toEqual([endpoint, expect.toSatisfy((status: number) => status < 500)])
    }
  }
})
