// US Core's scopes in the running demo: announced as they were meant, and each granular one, in its misprinted spellings too, opens
// exactly the resources of its category. What those are is asked of the FHIR store itself, past the gateway.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, verdictOf } from '../support/http-client.ts'
import { type CatalogueDemo, startCatalogueDemo } from './support/catalogue-demo.ts'
import {
  type Context,
  EXAMPLE_ONLY,
  GRANULAR,
  type Granular,
  meant,
  misprinted,
  RESOURCE_LEVEL,
} from './support/us-core-scopes.ts'

const PATIENT = '7'
const OTHER_PATIENT = '8'
const CONTEXTS: readonly Context[] = ['patient', 'user', 'system']
const LAUNCH: Readonly<Record<Context, Readonly<Record<string, string>>>> = {
  patient: { patient: PATIENT },
  user: { fhirUser: 'Practitioner/1' },
  system: {},
}

let demo: CatalogueDemo
/** Everything of the two patients, by type, as the store has it. */
const stored = new Map<string, readonly Stored[]>()

interface Stored {
  readonly id: string
  readonly subject: string
  /** `system|code` of every category. */
  readonly categories: readonly string[]
}

beforeAll(async () => {
  demo = await startCatalogueDemo([])
  await addEveryCategory()
  for (const type of new Set(GRANULAR.map((scope) => scope.type))) stored.set(type, await storedOf(type))
})
afterAll(() => demo?.close())

/** Both patients have something of every category, of none, and of two at once. */
async function addEveryCategory(): Promise<void> {
  const granular = [...GRANULAR, EXAMPLE_ONLY]
  for (const patient of [PATIENT, OTHER_PATIENT]) {
    const add = async (id: string, type: string, categories: readonly Granular[]): Promise<void> => {
      const category = categories.map(({ system, code }) => ({ coding: [{ system, code }] }))
      const resource = {
        resourceType: type,
        id: `${id}-${patient}`,
        subject: { reference: `Patient/${patient}` },
        category,
      }
      const answer = await demo.store.ask(`PUT ${demo.storeBase}/${type}/${resource.id}`, { body: resource })
      expect(answer.status, answer.text).toBe(201)
    }
    for (const [index, scope] of granular.entries()) {
      await add(`category-${index}`, scope.type, [scope])
      // The same code of another system is another category.
      await add(`foreign-${index}`, scope.type, [{ ...scope, system: 'urn:other' }])
    }
    for (const type of new Set(granular.map((scope) => scope.type))) {
      await add('none', type, [])
      await add('both', type, granular.filter((scope) => scope.type === type).slice(0, 2))
    }
  }
}

async function storedOf(type: string): Promise<readonly Stored[]> {
  const found: Stored[] = []
  for (const patient of [PATIENT, OTHER_PATIENT]) {
    const { json } = await demo.store.ask(`GET ${demo.storeBase}/${type}?subject=Patient/${patient}&_count=1000`)
    for (const { resource } of json.entry) {
      // biome-ignore lint/suspicious/noExplicitAny: any JSON
      const codings = (resource.category ?? []).flatMap(({ coding }: any) => coding)
      found.push({
        id: resource.id,
        subject: resource.subject.reference,
        // biome-ignore lint/suspicious/noExplicitAny: any JSON
        categories: codings.map(({ system, code }: any) => `${system}|${code}`),
      })
    }
  }
  return found
}

async function bearer(scope: string, context: Context): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await demo.token({ scope, ...LAUNCH[context] })}` }
}

/** All pages. */
async function found(line: string, headers: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const ids: string[] = []
  for (let next: string | undefined = line; next !== undefined; ) {
    const answer = await demo.gateway.ask(next, { headers })
    expect(verdictOf(answer), next).toBe('200')
    for (const { resource } of answer.json.entry ?? []) ids.push(resource.id)
    const url = answer.json.link.find(({ relation }: { relation: string }) => relation === 'next')?.url
    next = url && `GET ${new URL(url).pathname}${new URL(url).search}`
  }
  return ids.toSorted()
}

const CASES = GRANULAR.flatMap((scope) =>
  CONTEXTS.flatMap((context) =>
    [meant(scope, context), ...misprinted(scope, context)].map((spelling) => ({ spelling, context, ...scope })),
  ),
)

describe('each granular scope opens exactly what was meant', () => {
  test.each(CASES)('$spelling', async ({ spelling, context, type, system, code }) => {
    const headers = await bearer(spelling, context)
    const all = stored.get(type)!
    const inside = all.filter(({ categories }) => categories.includes(`${system}|${code}`))
    const reached = inside.filter(({ subject }) => context !== 'patient' || subject === `Patient/${PATIENT}`)
    expect(reached.length).toBeGreaterThan(0)
    expect(inside.length).toBeLessThan(all.length)

    const own = await found(`GET /fhir/R4/${type}?subject=Patient/${PATIENT}&_count=20`, headers)
    expect(own).toEqual(idsOf(inside, PATIENT))
    if (context === 'patient') expect(await found(`GET /fhir/R4/${type}`, headers)).toEqual(idsOf(inside, PATIENT))
    else {
      const others = await found(`GET /fhir/R4/${type}?subject=Patient/${OTHER_PATIENT}`, headers)
      expect(others).toEqual(idsOf(inside, OTHER_PATIENT))
    }

    const outside = all.filter((one) => !reached.includes(one))
    for (const [ids, verdict] of [
      [[reached[0]!, reached.at(-1)!], '200'],
      [
        [outside[0]!, ...outside.filter(({ id }) => /^(?:none|foreign)/.test(id)).slice(0, 3), outside.at(-1)!],
        '404 not-found',
      ],
    ] as const) {
      for (const { id } of ids)
        expect([id, verdictOf(await demo.gateway.ask(`GET /fhir/R4/${type}/${id}`, { headers }))]).toEqual([
          id,
          verdict,
        ])
    }
    const other = type === 'Observation' ? 'Condition' : 'Observation'
    expect(verdictOf(await demo.gateway.ask(`GET /fhir/R4/${other}`, { headers }))).toBe('403 scope-insufficient')
    const change = { headers, body: { resourceType: type, id: reached[0]!.id } }
    expect(codeOf(await demo.gateway.ask(`PUT /fhir/R4/${type}/${reached[0]!.id}`, change))).toBe('scope-insufficient')
  })
})

function idsOf(resources: readonly Stored[], patient: string): readonly string[] {
  return resources
    .filter(({ subject }) => subject === `Patient/${patient}`)
    .map(({ id }) => id)
    .toSorted()
}

describe('/fhir/R4/.well-known/smart-configuration', () => {
  test('announces every scope of the page, as it was meant and not as it was misprinted', async () => {
    const { status, json } = await demo.gateway.ask('GET /fhir/R4/.well-known/smart-configuration')
    expect(status).toBe(200)
    const announced = new Set<string>(json.scopes_supported)
    const wanted = [
      ...['openid', 'profile', 'launch', 'launch/patient', 'offline_access', 'fhirUser'],
      ...CONTEXTS.flatMap((context) => [
        ...RESOURCE_LEVEL.map((type) => `${context}/${type}.rs`),
        ...[...GRANULAR, EXAMPLE_ONLY].map((scope) => meant(scope, context)),
      ]),
    ]
    expect(wanted.filter((scope) => !announced.has(scope))).toEqual([])
    const misprints = CONTEXTS.flatMap((context) => GRANULAR.flatMap((scope) => misprinted(scope, context)))
    expect(misprints.filter((scope) => announced.has(scope))).toEqual([])
  })

  test('and the resource-level ones open their types', async () => {
    for (const context of CONTEXTS) {
      const headers = await bearer(RESOURCE_LEVEL.map((type) => `${context}/${type}.rs`).join(' '), context)
      for (const type of RESOURCE_LEVEL)
        expect([type, verdictOf(await demo.gateway.ask(`GET /fhir/R4/${type}?_count=1`, { headers }))]).toEqual([
          type,
          '200',
        ])
      expect(verdictOf(await demo.gateway.ask('GET /fhir/R4/Claim?_count=1', { headers }))).toBe(
        '403 scope-insufficient',
      )
    }
  })
})
