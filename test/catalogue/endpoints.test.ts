// The whole catalogue against the running demo: every endpoint asked with every scope by every kind of credential. A covered request
// gets through to what stands behind the endpoint; every other one is refused by 403 and nothing goes further than the gateway.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type Ask, entryVerdicts, verdictOf } from '../support/http-client.ts'
import { type Arrival, type CatalogueDemo, startCatalogueDemo, TAG } from './support/catalogue-demo.ts'
import { allCredentials, type Credential, makeKeys } from './support/credentials.ts'
import { type Endpoint, PATIENT, titleOf } from './support/endpoint.ts'
import { ENDPOINTS } from './support/endpoints.ts'
import { type FinishedExport, finishExport } from './support/finished-export.ts'
import { type EndpointResult, printTable } from './support/printed-table.ts'
import { NO_ENDPOINTS } from './support/product-endpoints.ts'
import { CONTEXT_SCOPES, kindsOf, SEED_SCOPES } from './support/seed-scopes.ts'

let demo: CatalogueDemo
let credentials: readonly Credential[]
const results: EndpointResult[] = []
const exports = new Map<Endpoint['exported'], FinishedExport>()
let counter = 0
/** What the test itself puts into the store. */
const OURS = 'ours'

beforeAll(async () => {
  const keys = makeKeys()
  demo = await startCatalogueDemo(keys.map(({ key }) => key))
  credentials = await allCredentials(demo, keys)
  for (const exported of ['everything', 'Patient'] as const) exports.set(exported, await finishExport(demo, exported))
})
afterAll(async () => {
  await demo?.close()
  if (process.env['npm_lifecycle_event'] === 'test:catalogue') console.log(printTable(results, SEED_SCOPES.length))
})

interface Outcome {
  readonly credential: Credential
  readonly answer: Answer
  /** `{n}` of the endpoint's line, filled in. */
  readonly line: string
  readonly arrived: readonly Arrival[]
}

type Asked = Pick<Endpoint, 'line' | 'ask' | 'stored' | 'exported'>

async function ask(endpoint: Asked, credential: Credential): Promise<Outcome> {
  const tag = String(++counter)
  const fill = (text: string): string =>
    text
      .replaceAll('{n}', tag)
      .replace('{status}', () => exports.get(endpoint.exported)!.status)
      .replace('{file}', () => exports.get(endpoint.exported)!.file)
  if (endpoint.stored !== undefined) await store(fill(JSON.stringify(endpoint.stored)))
  const { headers = {}, body } = (endpoint.ask ?? {}) as Ask
  const line = fill(endpoint.line)
  const answer = await demo.gateway.ask(line, {
    headers: { ...headers, ...credential.headers, [TAG]: tag },
    ...(body === undefined ? {} : { body: fill(typeof body === 'string' ? body : JSON.stringify(body)) }),
  })
  return { credential, answer, line, arrived: demo.arrivals.filter((arrival) => arrival.tag === tag) }
}

async function store(resource: string): Promise<void> {
  const { resourceType, id } = JSON.parse(resource)
  const { status } = await demo.store.ask(`PUT ${demo.storeBase}/${resourceType}/${id}`, {
    body: resource,
    headers: { [TAG]: OURS },
  })
  expect(status).toBe(201)
}

/** Each is enough. */
const coveringSets = ({ covers, together }: Endpoint): readonly (readonly string[])[] => [
  ...covers.map((scope) => [scope]),
  ...(together === undefined ? [] : [together]),
]

const holds = ({ scope }: Credential, wanted: readonly string[]): boolean =>
  wanted.every((one) => scope.split(' ').includes(one))

const isCovered = (endpoint: Endpoint, credential: Credential): boolean =>
  credential.carried && !credential.lacksPatient && coveringSets(endpoint).some((set) => holds(credential, set))

/** Kinds that do not carry a scope are tried where the scope itself would cover: elsewhere it is refused by any kind. */
const isRefused = (endpoint: Endpoint, credential: Credential): boolean =>
  !isCovered(endpoint, credential) && (credential.carried || usefulSets(endpoint).some((set) => holds(credential, set)))

const usefulSets = (endpoint: Endpoint): readonly (readonly string[])[] => [
  ...coveringSets(endpoint),
  ...(endpoint.partly ?? []).map((scope) => [scope]),
]

/** What a refusal must say, by contract §4 and §5. */
function refusalOf(endpoint: Endpoint, credential: Credential): string {
  const sets = coveringSets(endpoint)
  const useful = usefulSets(endpoint).some((set) => holds(credential, set))
  if (endpoint.exported !== undefined && (credential.kind !== 'bearer' || credential.launched)) return '404 not-found'
  if (useful && !credential.carried) return '403 credential-kind'
  if (useful && credential.lacksPatient) return '403 launch-context-missing'
  const byThisKind = sets.some((set) => set.every((scope) => kindsOf(scope).includes(credential.kind)))
  return sets.length > 0 && !byThisKind ? '403 credential-kind' : '403 scope-insufficient'
}

const nameOf = ({ scope, kind, lacksPatient }: Credential): string =>
  `${scope} (${kind}${lacksPatient ? ' without launch patient' : ''})`

describe.each(ENDPOINTS.map((endpoint) => [titleOf(endpoint), endpoint] as const))('%s', (_title, endpoint) => {
  test('lets through what covers it, to what stands behind it', async () => {
    const covered = credentials.filter((credential) => isCovered(endpoint, credential))
    results.push({ endpoint, through: covered, refused: new Map() })
    const single = covered.map(({ scope }) => scope).filter((scope) => !scope.includes(' '))
    expect(new Set(single)).toEqual(new Set(endpoint.covers))
    for (const credential of covered) {
      const outcome = await ask(endpoint, credential)
      expect(verdictOf(outcome.answer), nameOf(credential)).toMatch(/^20[0-4]$/)
      expectReached(endpoint, outcome)
    }
  })

  test('refuses everything else, and sends nothing further', async () => {
    const others = credentials.filter((credential) => isRefused(endpoint, credential))
    const before = demo.arrivals.length
    const outcomes = await Promise.all(others.map((credential) => ask(endpoint, credential)))
    const surprises = outcomes.flatMap(({ credential, answer }) => {
      const [got, wanted] = [verdictIn(answer), refusalOf(endpoint, credential)]
      return got === wanted ? [] : [`${nameOf(credential)}: ${got} instead of ${wanted}`]
    })
    expect(surprises).toEqual([])
    expect(demo.arrivals.slice(before).filter(({ tag }) => tag !== OURS)).toEqual([])
    for (const { answer } of outcomes.filter((one) => one.answer.status === 403))
      expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
    const counts = Map.groupBy(outcomes, ({ answer }) => verdictIn(answer).split(' ')[1]!)
    results.find((one) => one.endpoint === endpoint)!.refused = new Map(
      [...counts].map(([code, { length }]) => [code, length]),
    )
    await expectOffersHelp(endpoint, outcomes)
  })
})

function expectReached({ behind, answers, exported, within }: Endpoint, outcome: Outcome): void {
  const { credential, answer, line, arrived } = outcome
  const [method, target = ''] = line.split(' ')
  const path = target.split('?', 1)[0]!
  expect(arrived.length, nameOf(credential)).toBe(1)
  const [{ path: reached = '', ...one } = {} as Arrival] = arrived
  expect([one.behind, one.method], nameOf(credential)).toEqual([behind, method])
  if (exported === undefined)
    expect(reached.split('?', 1)[0]).toBe(behind === 'prime-fhir' ? path.replace('/prime/fhir/R4', '/fhir') : path)
  else expect(reached).toMatch(/^\/fhir\/R4\/_export\//)
  if (within?.[credential.scope] !== undefined) expect(reached.split('?')[1]).toBe(within[credential.scope])
  if (!behind.includes('nexus') && behind !== 'prime-fhir')
    expect(answer.json).toMatchObject({ product: behind, method, path: target })
  if (answers !== undefined) expect(answer.json.resourceType).toBe(answers)
  if (answers === 'Bundle') expect(answer.json.entry.length).toBeGreaterThan(0)
}

/** Of a batch, which succeeds as such, what becomes of its first entry. */
function verdictIn(answer: Answer): string {
  return answer.json?.type === 'batch-response' ? entryVerdicts(answer)[0]! : verdictOf(answer)
}

function offeredToEntry({ json }: Answer): string | undefined {
  return / would do: (.*)$/.exec(json?.entry?.[0]?.response?.outcome?.issue[0].diagnostics ?? '')?.[1]
}

/** Whoever gets what a refusal offers, gets through. */
async function expectOffersHelp(endpoint: Endpoint, outcomes: readonly Outcome[]): Promise<void> {
  const offered = new Map<string, Credential>()
  for (const { credential, answer } of outcomes) {
    const scope = /\bscope="([^"]*)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1] ?? offeredToEntry(answer)
    if (scope !== undefined) offered.set(`${credential.kind} ${scope}`, credential)
  }
  for (const [key, refused] of offered) {
    const scope = key.slice(key.indexOf(' ') + 1)
    const better = refused.kind === 'bearer' ? await betterToken(refused, scope) : keyWith(refused, scope)
    expect(better, `${nameOf(refused)} was offered ${scope}`).toBeDefined()
    const { answer } = await ask(endpoint, better!)
    expect(verdictIn(answer), `${nameOf(refused)} was offered ${scope}`).toMatch(/^20[0-4]$/)
  }
}

async function betterToken(refused: Credential, scope: string): Promise<Credential> {
  const launch = scope.includes('patient/') ? { patient: PATIENT } : {}
  const token = await demo.token({ scope, ...launch })
  return { ...refused, scope, headers: { authorization: `Bearer ${token}` } }
}

function keyWith({ kind }: Credential, scopes: string): Credential | undefined {
  const sorted = (set: string): string => set.split(' ').toSorted().join(' ')
  return credentials.find((one) => one.kind === kind && sorted(one.scope) === sorted(scopes) && one.carried)
}

describe('the catalogue', () => {
  test('every scope that opens anything has an endpoint here, and context scopes have none', () => {
    const named = new Set(ENDPOINTS.flatMap(({ covers }) => covers))
    const silent = SEED_SCOPES.map(({ name }) => name).filter((name) => !named.has(name))
    expect(silent).toEqual(CONTEXT_SCOPES)
  })

  test('the page shows what the document says, and its totals', async () => {
    const { json } = await demo.gateway.ask('GET /scopes.json')
    expect(json.totals).toEqual({ scopes: 40, categories: 10, smart: 12, selfService: 11 })
    const CARRIERS = {
      'API Key': 'api-key',
      'Service Key': 'service-key',
      'OAuth 2.0': 'oauth2',
      'SMART on FHIR': 'smart',
    }
    // biome-ignore lint/suspicious/noExplicitAny: any JSON
    const shown = json.categories.flatMap(({ name: category, scopes }: any) =>
      // biome-ignore lint/suspicious/noExplicitAny: any JSON
      scopes.map(({ name, credentials, products, selfService }: any) => ({
        name,
        category,
        credentials: credentials.toSorted(),
        products,
        selfService,
      })),
    )
    expect(shown).toEqual(
      SEED_SCOPES.map(({ name, category, carriers, products }) => ({
        name,
        category,
        credentials: carriers.map((carrier) => CARRIERS[carrier]).toSorted(),
        products,
        selfService: name.startsWith('cms.'),
      })),
    )
  })

  test.each(Object.entries(NO_ENDPOINTS))('%s: %s, whatever the scope', async (line, verdict) => {
    const before = demo.arrivals.length
    const bearers = credentials.filter(({ kind }) => kind === 'bearer')
    const outcomes = await Promise.all(bearers.map((credential) => ask({ line }, credential)))
    expect(new Set(outcomes.map(({ answer }) => verdictOf(answer)))).toEqual(new Set([verdict]))
    expect(demo.arrivals.length).toBe(before)
  })
})
