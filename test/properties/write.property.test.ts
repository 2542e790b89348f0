import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grantWith } from '../support/grants.ts'
import { type HonestStore, honestStore } from '../support/honest-store.ts'
import { type Given, InProcessGateway, UPSTREAM_BASE } from '../support/in-process-gateway.ts'
import { mayDo, mayMake, type Stored } from '../support/model/deeds.ts'
import type { Loose } from '../support/model/elements.ts'
import { type ModelToken, opens, SHARED_BY_DEFAULT, sees } from '../support/model/sight.ts'
import { type BundleStep, type IfMatch, type Step, writingScene } from '../support/model/steps.ts'
import { BASE } from '../support/rig.ts'
import { LONG, runs } from '../support/runs.ts'

const ownBases = [BASE, UPSTREAM_BASE]
const settings = [
  { compartment: 'primary' as const, shared: SHARED_BY_DEFAULT, ownBases, updateCreate: false },
  { compartment: 'full' as const, shared: SHARED_BY_DEFAULT, ownBases, updateCreate: true },
]
const gateways = [
  new InProcessGateway(),
  new InProcessGateway({ route: 'patientScopes: { compartment: full }\nupdateCreate: allow' }),
]

/** One client before the store. */
interface World {
  readonly gateway: InProcessGateway
  readonly token: ModelToken
  readonly setting: (typeof settings)[number]
  readonly store: HonestStore
}

const grantOf = ({ scopes, patients, fhirUser }: ModelToken) =>
  grantWith(scopes, { patients, ...(fhirUser === undefined ? {} : { fhirUser }) })
const LETTER = { POST: 'c', PUT: 'u', PATCH: 'u', DELETE: 'd' } as const
const tagOf = (wanted: IfMatch, etag: string | undefined): string | undefined =>
  ({ none: undefined, current: etag ?? 'W/"1"', stale: 'W/"99"', '*': '*' })[wanted]

/** Method, URL below the base, condition fields and body of a step. */
function requestOf(step: Step, { store }: World) {
  const target = 'id' in step ? `${step.type}/${step.id}` : step.type
  const etag = 'id' in step ? store.versions.current(step.type, step.id)?.etag : undefined
  const ifMatch = 'ifMatch' in step ? tagOf(step.ifMatch, etag) : undefined
  switch (step.kind) {
    case 'read':
    case 'search':
      return { method: 'GET', url: target }
    case 'delete':
      return { method: 'DELETE', url: target, ifMatch }
    case 'create':
      return { method: 'POST', url: target, body: step.body }
    case 'update':
      return { method: 'PUT', url: target, ifMatch, body: step.body }
    case 'patch':
      return { method: 'PATCH', url: target, ifMatch, patch: step.patch.operations }
    case 'conditional': {
      const [method = '', path = ''] = step.line.split(' ')
      const ifNoneExist = method === 'POST' ? step.condition : undefined
      return { method, url: path.slice(1), ifNoneExist, body: step.body, patch: step.patch?.operations }
    }
  }
}

function askSingle(step: Step, world: World): Promise<Given> {
  const { method, url, ifMatch, ifNoneExist, body, patch } = {
    ifMatch: undefined,
    ifNoneExist: undefined,
    body: undefined,
    patch: undefined,
    ...requestOf(step, world),
  }
  const type = patch === undefined ? 'application/fhir+json' : 'application/json-patch+json'
  const content = patch ?? body
  const headers = {
    ...(content === undefined ? {} : { 'content-type': type }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(ifNoneExist === undefined ? {} : { 'if-none-exist': ifNoneExist }),
  }
  const options = content === undefined ? { headers } : { headers, body: JSON.stringify(content) }
  return world.gateway.ask(`${method} /fhir/R4/${url}`, grantOf(world.token), world.store.store, options)
}

function askBundle({ code, entries }: BundleStep, world: World): Promise<Given> {
  const entry = entries.map((step) => {
    const { method, url, ifMatch, ifNoneExist, body, patch } = {
      ifMatch: undefined,
      ifNoneExist: undefined,
      body: undefined,
      patch: undefined,
      ...requestOf(step, world),
    }
    const data = patch === undefined ? undefined : Buffer.from(JSON.stringify(patch)).toString('base64')
    const resource =
      data === undefined ? body : { resourceType: 'Binary', contentType: 'application/json-patch+json', data }
    return { resource, request: { method, url, ifMatch, ifNoneExist } }
  })
  const body = JSON.stringify({ resourceType: 'Bundle', type: code, entry })
  return world.gateway.ask('POST /fhir/R4', grantOf(world.token), world.store.store, { body })
}

const storedIn = ({ store }: World): Stored => {
  return (type, id) => store.versions.current(type, id)?.resource
}

/** Whether the model permits it; undefined where that hangs on more than the scopes and the one resource. */
function permitted(step: Step, world: World): boolean | undefined {
  const { token, setting, store } = world
  const stored = storedIn(world)
  if (step.kind === 'create')
    return mayDo(
      { type: step.type, letter: 'c', before: undefined, after: { ...step.body, id: undefined } },
      token,
      setting,
      stored,
    )
  if (step.kind !== 'update' && step.kind !== 'patch' && step.kind !== 'delete') return undefined
  const { type, id, ifMatch } = step
  const letter = step.kind === 'delete' ? 'd' : 'u'
  if (opens(type, letter, token, setting) === 'nothing') return false
  const before = store.versions.current(type, id)?.resource
  if (before === undefined) {
    if (step.kind === 'patch') return false
    if (step.kind === 'delete' || ifMatch !== 'none') return undefined
    return mayMake(id, { type, letter, before, after: step.body }, token, setting, stored)
  }
  const after = step.kind === 'update' ? step.body : step.kind === 'patch' ? step.patch.apply(before) : undefined
  if (step.kind === 'patch' && after === undefined) return false
  if (step.kind === 'patch' && step.patch.asks && sees(before, 'r', token, setting) === 'no') return false
  return ifMatch !== 'stale' && mayDo({ type, letter, before, after }, token, setting, stored)
}

/** Every version that the request made is one that the model lets this client make. */
function expectOnlyPermitted(
  steps: readonly Step[],
  mark: number,
  { token, setting, store }: World,
  /** What the world was before, and what somebody else did meanwhile. */
  [stored, others]: readonly [Stored, ReadonlySet<unknown>],
  about: string,
): void {
  for (const version of store.versions.journal.slice(mark)) {
    const { type, id, versionId } = version
    if (others.has(version)) continue
    const previous = store.versions.versions(type, id)[versionId - 2]
    const deed = {
      type,
      before: previous?.deleted ? undefined : previous?.resource,
      after: version.deleted ? undefined : version.resource,
    }
    const letters = steps.flatMap((step) => {
      if (step.type !== type || step.kind === 'read' || step.kind === 'search') return []
      if (step.kind === 'conditional') return [LETTER[step.line.split(' ')[0] as keyof typeof LETTER]]
      return [step.kind === 'create' ? ('c' as const) : step.kind === 'delete' ? ('d' as const) : ('u' as const)]
    })
    const isPermitted = letters.some((letter) =>
      deed.before === undefined && letter === 'u'
        ? mayMake(id, { ...deed, letter }, token, setting, stored)
        : mayDo({ ...deed, letter }, token, setting, stored),
    )
    expect(isPermitted, `${about}: ${type}/${id} version ${versionId}`).toBe(true)
  }
}

/** Nothing comes back that the client may not see. */
function expectOnlySeen(given: Given, step: Step | BundleStep, { token, setting }: World, about: string): void {
  const check = (resource: Loose, letters: string): void => {
    expect(
      sees(resource, letters, token, setting),
      `${about}: ${resource.resourceType}/${resource.id} came back`,
    ).not.toBe('no')
  }
  const { json } = given
  if (json === undefined || json.resourceType === 'OperationOutcome') return
  if (step.kind === 'search') for (const { resource } of json.entry ?? []) check(resource, 's')
  else if (step.kind !== 'bundle') check(json, 'r')
  else {
    for (const [index, { resource }] of (json.entry ?? []).entries()) {
      if (resource === undefined) continue
      if (step.entries[index]!.kind === 'search') for (const one of resource.entry ?? []) check(one.resource, 's')
      else check(resource, 'r')
    }
  }
}

const NOBODY: ReadonlySet<unknown> = new Set()

/** As it is now, whatever is written from here on. */
function asItWas({ store }: World): Stored {
  const kept = new Map<string, Loose | undefined>()
  for (const { type, id } of store.versions.journal)
    kept.set(`${type}/${id}`, store.versions.current(type, id)?.resource)
  return (type, id) => kept.get(`${type}/${id}`)
}

/** A Bundle, with somebody else who writes the same records, as they are, before it is carried out, and before it is sent again. */
async function askMeanwhile(step: BundleStep, world: World): Promise<[Given, ReadonlySet<unknown>]> {
  const { versions, store } = world.store
  const others = new Set<unknown>()
  let left = step.conflicts
  const meddling: World['store']['store'] = (request) => {
    if (request.method !== 'GET' && left-- > 0) {
      for (const entry of step.entries) {
        if (!('ifMatch' in entry) || (entry.ifMatch !== 'none' && entry.ifMatch !== '*')) continue
        const current = versions.current(entry.type, entry.id)
        if (current !== undefined) others.add(versions.write(entry.type, entry.id, current.resource, 'PUT'))
      }
    }
    return store(request)
  }
  const given = await askBundle(step, { ...world, store: { ...world.store, store: meddling } })
  return [given, others]
}

const isDone = (status: number): boolean => status >= 200 && status < 300

async function takeStep(step: Step | BundleStep, world: World): Promise<void> {
  const { store } = world
  const about = JSON.stringify([step, world.token])
  const mark = store.versions.journal.length
  const made = (): number => store.versions.journal.length - mark
  const stored = asItWas(world)
  if (step.kind !== 'bundle') {
    const wanted = permitted(step, world)
    const given = await askSingle(step, world)
    expectOnlyPermitted([step], mark, world, [stored, NOBODY], about)
    expectOnlySeen(given, step, world, about)
    if (wanted === undefined) return
    expect(isDone(given.status), `${about}: ${given.status} ${given.code} ${given.text}`).toBe(wanted)
    expect(made(), about).toBe(wanted ? 1 : 0)
    return
  }
  // What a condition finds, or a Provenance is about, may be what another entry writes.
  const searched = step.entries.flatMap(({ kind, type }) => (kind === 'conditional' ? [type] : []))
  const isUncertain = ({ type }: Step): boolean =>
    searched.includes(type) || (type === 'Provenance' && step.entries.length > 1)
  const wanted = step.entries.map((entry) => (isUncertain(entry) ? undefined : permitted(entry, world)))
  const [given, others] = await askMeanwhile(step, world)
  expectOnlyPermitted(step.entries, mark, world, [stored, others], about)
  expectOnlySeen(given, step, world, about)
  const isKnown = !wanted.includes(undefined)
  if (step.code === 'batch' && isDone(given.status)) {
    for (const [index, one] of wanted.entries()) {
      const status = Number.parseInt(given.json.entry[index].response.status, 10)
      if (one !== undefined) expect(isDone(status), `${about}: entry ${index} ${given.text}`).toBe(one)
    }
  } else if (step.code === 'batch') expect(given, `${about}: ${given.status}`).toMatchObject({ status: 200 })
  // A server refuses a transaction with an address of no entry.
  else if (isKnown && !about.includes('urn:uuid:')) {
    expect(isDone(given.status), `${about}: ${given.status} ${given.code} ${given.text}`).toBe(!wanted.includes(false))
  }
  if (step.code === 'transaction' && !isDone(given.status)) expect(made() - others.size, about).toBe(0)
}

test('Whatever clients ask, nothing outside their grants is written or comes back, and nothing that they may write is lost.', {
  timeout: LONG,
}, async () => {
  await fc.assert(
    fc.asyncProperty(writingScene, fc.constantFrom(0, 1), async ({ clients, stored, steps }, which) => {
      const store = honestStore(stored, 50)
      for (const { client, step } of steps) {
        await takeStep(step, { gateway: gateways[which]!, setting: settings[which]!, token: clients[client]!, store })
      }
    }),
    runs(0.25),
  )
})
