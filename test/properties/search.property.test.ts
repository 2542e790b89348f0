import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grantOfToken } from '../support/grants.ts'
import { type HonestStore, honestStore } from '../support/honest-store.ts'
import { type Given, InProcessGateway, UPSTREAM_BASE } from '../support/in-process-gateway.ts'
import { plainResource, scene } from '../support/model/arbitraries.ts'
import { type Loose, modelParameter } from '../support/model/elements.ts'
import {
  boundPatients,
  type ModelSetting,
  type ModelToken,
  mayReachRecordOf,
  opens,
  SHARED_BY_DEFAULT,
  type Sight,
  sees,
} from '../support/model/sight.ts'
import { BASE } from '../support/rig.ts'
import { LONG, runs } from '../support/runs.ts'

const on: ModelSetting = { compartment: 'primary', shared: SHARED_BY_DEFAULT, ownBases: [BASE, UPSTREAM_BASE] }
const gateway = new InProcessGateway()

// The same worlds in every run, so that the store need not be built for each case.
const WORLDS: readonly HonestStore[] = fc
  .sample(fc.tuple(fc.array(plainResource, { minLength: 60, maxLength: 90 }), fc.constantFrom(2, 5, 100)), {
    numRuns: 40,
    seed: 7,
  })
  .map(([resources, pageSize]) => honestStore(resources, pageSize))

/** One parameter as a client writes it. */
interface Clause {
  readonly text: string
  /** The patients to which alone it limits the search. */
  readonly patients?: readonly string[]
  readonly includes?: { readonly type: string; readonly letters: string; readonly named: boolean }
}

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'

function clausesFor(type: string): readonly Clause[] {
  const has = (name: string): boolean => modelParameter(type, name) !== undefined
  const clauses: Clause[] = [
    { text: '_count=3' },
    { text: '_sort=_id' },
    { text: '_id=1,3' },
    { text: '_total=accurate' },
    { text: '_summary=false' },
    { text: '_elements=id' },
    { text: '_lastUpdated=ge2020' },
  ]
  if (has('category')) {
    clauses.push(
      ...[
        `category=${CATEGORY}|laboratory`,
        'category=laboratory',
        `category=${CATEGORY}|`,
        `category=${CATEGORY}|vital-signs,${CATEGORY}|laboratory`,
      ].map((text) => ({ text })),
      ...[
        'category:not=laboratory',
        'category:missing=true',
        'category=',
        'category=a%5C,b',
        'category=|laboratory',
      ].map((text) => ({ text })),
    )
  }
  if (has('status')) clauses.push({ text: 'status=final' })
  if (has('code')) clauses.push({ text: 'code=laboratory,LAB' })
  if (has('patient')) {
    clauses.push(
      { text: 'patient=p1', patients: ['p1'] },
      { text: 'patient=Patient/p1', patients: ['p1'] },
      { text: `patient=${BASE}/Patient/p1`, patients: ['p1'] },
      { text: 'patient:Patient=p1', patients: ['p1'] },
      { text: 'patient=p2', patients: ['p2'] },
      { text: 'patient=p1,Patient/p2', patients: ['p1', 'p2'] },
      { text: 'patient=' },
      { text: 'patient:missing=false' },
    )
  }
  if (has('subject') && has('patient') && type !== 'Task') {
    clauses.push(
      { text: 'subject=Patient/p1', patients: ['p1'] },
      { text: 'subject:Patient=p1', patients: ['p1'] },
      { text: 'subject=Patient/p2', patients: ['p2'] },
      { text: 'subject=Group/p1' },
      { text: 'subject=p1' },
    )
  }
  if (type === 'Patient')
    clauses.push(
      { text: '_id=p1', patients: ['p1'] },
      { text: '_id=p2,p1', patients: ['p1', 'p2'] },
      { text: 'name=s' },
    )
  if (type === 'Observation') {
    clauses.push(
      { text: 'performer=Practitioner/1' },
      { text: 'performer=Patient/p1' },
      {
        text: '_include=Observation:performer:Practitioner',
        includes: { type: 'Practitioner', letters: 'rs', named: true },
      },
      { text: '_include=Observation:performer', includes: { type: 'Practitioner', letters: 'rs', named: false } },
      { text: '_include=Observation:patient', includes: { type: 'Patient', letters: 'rs', named: true } },
    )
  }
  if (type === 'MedicationRequest')
    clauses.push({
      text: '_include=MedicationRequest:medication',
      includes: { type: 'Medication', letters: 'rs', named: true },
    })
  if (['Observation', 'Condition'].includes(type))
    clauses.push({ text: '_revinclude=Provenance:target', includes: { type: 'Provenance', letters: 's', named: true } })
  // On a Patient `_id` names a patient, which the other form says.
  return type === 'Patient' ? clauses.filter(({ text }) => text !== '_id=1,3') : clauses
}

const DOORS = ['GET', 'POST', 'POST beside URL', 'batch', 'compartment'] as const

const asked = scene.chain(({ focus, token }) =>
  fc.record({
    type: fc.constant(focus),
    token: fc.constant(token),
    // One include at most, so that it is plain what brought an entry.
    clauses: fc.uniqueArray(fc.constantFrom(...clausesFor(focus)), {
      maxLength: 3,
      selector: ({ text, includes }) => (includes === undefined ? text.split('=')[0] : 'include'),
    }),
    door: fc.constantFrom(...DOORS),
    at: fc.nat(WORLDS.length - 1),
  }),
)
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

test('What comes out of a store that really searches is what it would give, cut to what the scopes cover: nothing more, nothing less, by every door.', {
  timeout: LONG,
}, async () => {
  await fc.assert(
    fc.asyncProperty(asked, async (one) => {
      const { type, token, clauses, door } = one
      const world = WORLDS[one.at]!
      const reasons = reasonsAgainst(one)
      const asked = await ask(one)
      // Where no one search says what several scopes cover, it has to be sent by itself.
      const alone = one.door === 'batch' && asked.code === 'constraint-unenforceable'
      const first = alone ? await ask({ ...one, door: 'GET' }) : asked
      if (reasons.length > 0) {
        expect([first.status, first.sent]).toEqual([403, undefined])
        expect(reasons).toContain(first.code)
        return
      }
      const found = world.search(
        door === 'compartment' ? `/Patient/p1/${type}?${wholeQuery(clauses)}` : `/${type}?${wholeQuery(clauses)}`,
      )
      if (found === undefined) return
      const got = await allPages(first, token, world)
      const { surely, perhaps } = allowed(found, one)
      // What is not limited goes on as it was asked, and the store knows its own base only.
      if (clauses.some(({ text }) => text.includes(BASE)) && opens(type, 's', token, on) === 'everything') return
      expect(got.filter((key) => !perhaps.has(key))).toEqual([])
      expect([...surely].filter((key) => !got.includes(key))).toEqual([])
    }),
    runs(0.3),
  )
})

/** Reasons to refuse; which of several is told is not said. */
function reasonsAgainst({ type, token, clauses, door }: Asked): readonly string[] {
  const reasons: string[] = []
  const includes = clauses.flatMap((clause) => clause.includes ?? []).filter(({ named }) => named)
  const own = opens(type, 's', token, on)
  const others = includes.map((one) => opens(one.type, one.letters, token, on))
  if ([own, ...others].includes('nothing')) reasons.push('scope-insufficient', 'launch-context-missing')
  const isInCompartment = ({ type: reached, letters }: { type: string; letters: string }): boolean =>
    [...letters].some((letter) => mayReachRecordOf('p1', reached, letter, token, on))
  if (door === 'compartment' && ![{ type, letters: 's' }, ...includes].every(isInCompartment))
    reasons.push('patient-mismatch')
  const bound = boundPatients(type, 's', token, on)
  const strangers = clauses.some(
    ({ patients }) => patients !== undefined && !patients.some((id) => bound?.includes(id)),
  )
  if (own === 'a part' && bound !== undefined && strangers) reasons.push('patient-mismatch')
  return reasons
}

const query = (clauses: readonly Clause[]): string => clauses.map(({ text }) => text).join('&')
/** Whole resources, which the model needs to see; and references as the store knows them. */
const wholeQuery = (clauses: readonly Clause[]): string =>
  query(clauses.filter(({ text }) => text !== '_elements=id')).replaceAll(`${BASE}/`, '')

async function ask({ type, token, clauses, door, at }: Asked): Promise<Given> {
  const { store } = WORLDS[at]!
  const grant = grantOfToken(token)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  switch (door) {
    case 'GET':
      return gateway.ask(`GET /fhir/R4/${type}?${query(clauses)}`, grant, store)
    case 'compartment':
      return gateway.ask(`GET /fhir/R4/Patient/p1/${type}?${query(clauses)}`, grant, store)
    case 'POST':
      return gateway.ask(`POST /fhir/R4/${type}/_search`, grant, store, { body: query(clauses), headers: form })
    case 'POST beside URL':
      return gateway.ask(`POST /fhir/R4/${type}/_search?${query(clauses.slice(0, 1))}`, grant, store, {
        body: query(clauses.slice(1)),
        headers: form,
      })
    case 'batch': {
      const body = JSON.stringify({
        resourceType: 'Bundle',
        type: 'batch',
        entry: [{ request: { method: 'GET', url: `${type}?${query(clauses)}` } }],
      })
      return unwrapped(
        await gateway.ask('POST /fhir/R4', grant, store, {
          body,
          headers: { 'content-type': 'application/fhir+json' },
        }),
      )
    }
  }
}

/** The one answer in a batch as if it had come alone. */
function unwrapped(batch: Given): Given {
  const entry = batch.json?.entry?.[0]
  if (entry === undefined) return batch
  const { resource, response } = entry
  const code = response.outcome?.issue?.[0]?.details?.coding?.[0]?.code
  const status = Number(response.status.slice(0, 3))
  return {
    ...batch,
    status,
    code,
    json: resource,
    text: JSON.stringify(resource ?? null),
    sent: status === 403 ? undefined : batch.sent,
  }
}

async function allPages(first: Given, token: ModelToken, world: HonestStore): Promise<string[]> {
  const keys: string[] = []
  for (let page = first; ; ) {
    expect([page.status, page.code]).toEqual([200, undefined])
    expect(page.text).not.toContain(`"url":"${UPSTREAM_BASE}`)
    for (const { resource } of page.json.entry ?? []) keys.push(`${resource.resourceType}/${resource.id}`)
    const next = page.json.link?.find(({ relation }: Loose) => relation === 'next')?.url
    if (next === undefined) return keys
    page = await gateway.ask(`GET ${new URL(next).pathname}`, grantOfToken(token), world.store)
  }
}

/** What must come, and what may: forms of a reference that a server need not find, proof that lies on another page. */
function allowed(
  found: NonNullable<ReturnType<HonestStore['search']>>,
  { type, token, clauses, at }: Asked,
): { surely: Set<string>; perhaps: Set<string> } {
  const world = WORLDS[at]!
  const surely = new Set<string>()
  const perhaps = new Set<string>()
  const include = clauses.find(({ includes }) => includes !== undefined)
  const needs = [
    opens(type, 's', token, on),
    ...(include === undefined ? [] : [opens(include.includes!.type, include.includes!.letters, token, on)]),
  ]
  const unread = needs.every((extent) => extent === 'everything') && include?.includes?.named !== false
  for (const { resource, mode } of found) {
    const letters = mode === 'include' ? include!.includes!.letters : 's'
    const sight: Sight = unread ? 'surely' : sees(resource, letters, token, on, world.resources)
    if (sight === 'no') continue
    perhaps.add(keyOf(resource))
    if (sight === 'surely' && mode === 'match') surely.add(keyOf(resource))
    if (sight === 'surely' && mode === 'match' && include !== undefined) {
      // What an honest store brings along for this match alone.
      for (const brought of world.search(`/${type}?_id=${resource.id}&${include.text}`) ?? []) {
        if (
          brought.mode === 'include' &&
          (unread || isSurelyBrought(brought.resource, resource, include.includes!.letters, token))
        )
          surely.add(keyOf(brought.resource))
      }
    }
  }
  return { surely, perhaps }
}

function isSurelyBrought(brought: Loose, match: Loose, letters: string, token: ModelToken): boolean {
  if (brought.resourceType !== 'Provenance') return sees(brought, letters, token, on) === 'surely'
  const restsOnMatch = brought.target.every(
    ({ reference }: Loose) => reference === keyOf(match) || reference.startsWith('Patient/'),
  )
  return restsOnMatch && sees(brought, letters, token, on, [match]) !== 'no'
}

const keyOf = ({ resourceType, id }: Loose): string => `${resourceType}/${id}`
