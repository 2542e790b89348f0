// Random requests of random clients upon a small store: writes in every form, alone and in Bundles, and reads between them.

import fc from 'fast-check'
import { filterOn, idOf, plainResource, plainResourceOf, someType } from './arbitraries.ts'
import type { Loose } from './elements.ts'
import type { ModelToken } from './sight.ts'

export type IfMatch = 'none' | 'current' | 'stale' | '*'

/** A JSON Patch, and what it makes of a resource; undefined where it cannot be applied. */
export interface PatchStep {
  readonly operations: readonly object[]
  /** Its outcome answers a question about what is stored. */
  readonly asks?: true
  readonly apply: (resource: Loose) => Loose | undefined
}

export type Step =
  | { readonly kind: 'read'; readonly type: string; readonly id: string }
  | { readonly kind: 'delete'; readonly type: string; readonly id: string; readonly ifMatch: IfMatch }
  | { readonly kind: 'create'; readonly type: string; readonly body: Loose }
  | {
      readonly kind: 'update'
      readonly type: string
      readonly id: string
      readonly body: Loose
      readonly ifMatch: IfMatch
    }
  | {
      readonly kind: 'patch'
      readonly type: string
      readonly id: string
      readonly patch: PatchStep
      readonly ifMatch: IfMatch
    }
  | { readonly kind: 'search'; readonly type: string }
  | {
      readonly kind: 'conditional'
      readonly line: string
      readonly type: string
      readonly condition: string
      readonly body?: Loose
      readonly patch?: PatchStep
    }

export interface BundleStep {
  readonly kind: 'bundle'
  readonly code: 'batch' | 'transaction'
  readonly entries: readonly Step[]
  /** How often somebody else writes the same records, as they are, behind the gateway's look. */
  readonly conflicts: number
}

export interface Scene {
  readonly focus: string
  readonly clients: readonly ModelToken[]
  readonly stored: readonly Loose[]
  readonly steps: readonly { readonly client: number; readonly step: Step | BundleStep }[]
}

// Others decide about these: what a Binary stands for, and what a Subscription would send out.
const WRITTEN = (type: string): boolean => type !== 'Binary'

const letters = fc.constantFrom('cud', 'cud', 'cruds', 'cruds', 'c', 'u', 'd', 'rs', 'ud', 'us', 'cs', 'write', '*')
const context = fc.constantFrom('patient', 'patient', 'patient', 'user', 'system')

function scopeOn(type: string): fc.Arbitrary<string> {
  const plain = fc.tuple(context, letters).map(([level, word]) => `${level}/${type}.${word}`)
  if (type === '*') return plain
  const granular = fc
    .tuple(
      context,
      fc.constantFrom('cud', 'cruds', 'us', 'u', 'cs'),
      fc.array(filterOn(type), { minLength: 1, maxLength: 2 }),
    )
    .map(([level, word, filters]) => `${level}/${type}.${word}?${filters.join('&')}`)
  return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 3, arbitrary: granular })
}

const clientOn = (focus: string): fc.Arbitrary<ModelToken> =>
  fc.record({
    scopes: fc
      .tuple(
        fc.array(scopeOn(focus), { minLength: 1, maxLength: 3 }),
        fc.array(fc.oneof(scopeOn('*'), someType.chain(scopeOn)), { maxLength: 2 }),
      )
      .map(([own, others]) => [...new Set([...own, ...others])]),
    patients: fc.constantFrom<readonly string[]>(['p1'], ['p1'], ['p1', 'p2'], ['p2'], []),
    fhirUser: fc.constantFrom(undefined, 'Practitioner/1', 'Patient/p1'),
  })

const ifMatch = fc.constantFrom<IfMatch>('none', 'none', 'none', 'current', 'stale', '*')

const PATIENTS = ['Patient/p1', 'Patient/p2', '#p1', 'urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736']
const LINK: Readonly<Record<string, string>> = { Device: 'patient', Task: 'for', Coverage: 'beneficiary' }

function patchOn(type: string): fc.Arbitrary<PatchStep> {
  const link = LINK[type] ?? 'subject'
  const set = (name: string, value: unknown): PatchStep => ({
    operations: [{ op: 'add', path: `/${name}`, value }],
    apply: (resource) => ({ ...resource, [name]: value }),
  })
  const remove = (name: string): PatchStep => ({
    operations: [{ op: 'remove', path: `/${name}` }],
    apply: ({ [name]: gone, ...rest }) => (gone === undefined ? undefined : rest),
  })
  const after = (operation: object, change: (resource: Loose) => Loose | undefined): PatchStep => ({
    operations: [operation, ...set('implicitRules', 'z').operations],
    asks: true,
    apply: (resource) => {
      const changed = change(resource)
      return changed && { ...changed, implicitRules: 'z' }
    },
  })
  const asking: readonly PatchStep[] = [
    after({ op: 'test', path: '/resourceType', value: type }, (resource) => resource),
    after({ op: 'test', path: '/resourceType', value: 'Nothing' }, () => undefined),
    after({ op: 'test', path: '/implicitRules', value: 'x' }, (resource) =>
      resource.implicitRules === 'x' ? resource : undefined,
    ),
    after({ op: 'copy', from: '/resourceType', path: '/language' }, (resource) => ({ ...resource, language: type })),
    after({ op: 'move', from: '/implicitRules', path: '/implicitRules' }, (resource) =>
      resource.implicitRules === undefined ? undefined : resource,
    ),
  ]
  return fc.oneof(
    fc.constantFrom(...asking),
    fc.constantFrom('x', 'y').map((text) => set('implicitRules', text)),
    fc.constantFrom(...PATIENTS).map((reference) => set(link, { reference })),
    fc.constant(remove(link)),
    fc.constant(remove('category')),
    plainResourceOf(type).map((other) =>
      other.category === undefined ? set('language', 'en') : set('category', other.category),
    ),
  )
}

function bodyOf(type: string, id?: string): fc.Arbitrary<Loose> {
  return plainResourceOf(type).map(({ id: _, ...body }) => (id === undefined ? body : { ...body, id }))
}

const condition = fc.constantFrom(
  '_id=1',
  '_id=p1',
  '_id=2,3',
  'identifier=urn:mrn|1',
  '_lastUpdated=ge2020',
  '_id=none',
)

function stepOn(type: string): fc.Arbitrary<Step> {
  const on = idOf(type)
  const read = fc.record({ kind: fc.constant('read' as const), type: fc.constant(type), id: on })
  const remove = fc.record({ kind: fc.constant('delete' as const), type: fc.constant(type), id: on, ifMatch })
  const update = on.chain((id) =>
    fc.record({
      kind: fc.constant('update' as const),
      type: fc.constant(type),
      id: fc.constant(id),
      body: bodyOf(type, id),
      ifMatch,
    }),
  )
  const patch = fc.record({
    kind: fc.constant('patch' as const),
    type: fc.constant(type),
    id: on,
    patch: patchOn(type),
    ifMatch,
  })
  const create = fc.record({ kind: fc.constant('create' as const), type: fc.constant(type), body: bodyOf(type) })
  const search = fc.record({ kind: fc.constant('search' as const), type: fc.constant(type) })
  const conditional = fc
    .tuple(
      fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
      condition,
      bodyOf(type),
      patchOn(type),
      fc.option(on, { nil: undefined }),
    )
    .map(([method, query, body, operations, id]): Step => {
      const given = {
        kind: 'conditional' as const,
        type,
        condition: query,
        line: method === 'POST' ? `POST /${type}` : `${method} /${type}?${query}`,
      }
      if (method === 'PATCH') return { ...given, patch: operations }
      if (method === 'DELETE') return given
      return { ...given, body: id === undefined ? body : { ...body, id } }
    })
  return fc.oneof(
    { weight: 5, arbitrary: update },
    { weight: 3, arbitrary: patch },
    { weight: 2, arbitrary: create },
    { weight: 2, arbitrary: remove },
    { weight: 1, arbitrary: read },
    { weight: 1, arbitrary: search },
    { weight: 3, arbitrary: conditional },
  )
}

export const writingScene: fc.Arbitrary<Scene> = someType.filter(WRITTEN).chain((focus) => {
  const anyStep = fc.oneof(
    { weight: 5, arbitrary: stepOn(focus) },
    { weight: 1, arbitrary: someType.filter(WRITTEN).chain(stepOn) },
  )
  const bundle: fc.Arbitrary<BundleStep> = fc.record({
    kind: fc.constant('bundle' as const),
    code: fc.constantFrom('batch' as const, 'transaction' as const),
    entries: fc.array(anyStep, { minLength: 1, maxLength: 4 }).map(onceEach),
    conflicts: fc.constantFrom(0, 0, 1, 3),
  })
  return fc.record({
    focus: fc.constant(focus),
    clients: fc.array(clientOn(focus), { minLength: 2, maxLength: 2 }),
    stored: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: plainResourceOf(focus) },
        { weight: 2, arbitrary: plainResource.filter(({ resourceType }) => WRITTEN(resourceType)) },
      ),
      { maxLength: 6 },
    ),
    steps: fc.array(
      fc.record({
        client: fc.constantFrom(0, 1),
        step: fc.oneof({ weight: 3, arbitrary: anyStep }, { weight: 1, arbitrary: bundle }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
})

/** Two entries on one resource have no order. */
function onceEach(entries: readonly Step[]): readonly Step[] {
  const seen = new Set<string>()
  return entries.filter((step) => {
    const key = 'id' in step ? `${step.type}/${step.id}` : undefined
    if (key !== undefined && seen.has(key)) return false
    if (key !== undefined) seen.add(key)
    return true
  })
}
