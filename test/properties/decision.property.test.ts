import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../../src/domain/decision/decide.ts'
import type { Decision } from '../../src/domain/decision/decision.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { parseScope } from '../../src/domain/smart/scope.ts'
import { rememberDecisions } from '../../src/server/decision-cache.ts'
import {
  anyScope,
  entryOf,
  type GeneratedRequest,
  granularScope,
  identity,
  lineOf,
  malformedScope,
  otherScope,
  requests,
  scopes,
  searches,
} from '../support/arbitraries.ts'
import { bundleOf, decideLine, type Extras, readLine } from '../support/fhir-requests.ts'
import { catalogueOf, grantWith, policyWith, worth } from '../support/grants.ts'
import { extentOf } from '../support/reference-model.ts'

const RUNS = { numRuns: 1500 }

const catalogue = catalogueOf({ 'cms.read': ['oauth2', 'api-key'], 'cms.push': ['oauth2'], 'cms.lab': ['oauth2'] })
const products = policyWith({
  catalogue,
  worths: [
    worth('cms.read', 'system/*.rs'),
    worth('cms.push', 'system/*.cu', ['bundle']),
    worth('cms.lab', 'system/Observation.rs?category=lab'),
  ],
})
const policy = fc.constantFrom(
  policyWith(),
  policyWith({ userScopes: 'refuse' }),
  policyWith({ userScopes: 'fhirUser' }),
  policyWith({ smart: false }),
  products,
)
/** Scopes and identity, held by a credential of any kind. */
const holder = fc.record({ who: identity, kind: fc.constantFrom('bearer', 'api-key', 'service-key') })
const held = fc.array(
  fc.oneof({ weight: 5, arbitrary: anyScope }, fc.constantFrom('cms.read', 'cms.push', 'cms.lab')),
  {
    maxLength: 6,
  },
)

const extrasOf = ({ ifNoneExist }: GeneratedRequest): Extras => (ifNoneExist === undefined ? {} : { ifNoneExist })

function decided(
  request: GeneratedRequest,
  ...rest: [Parameters<typeof decideLine>[1], Parameters<typeof decideLine>[2]]
): Decision {
  const decision = decideLine(lineOf(request), ...rest, extrasOf(request))
  if (isRefusal(decision)) throw new Error(`${lineOf(request)}: ${decision.detail}`)
  return decision
}

const isPermitted = (decision: Decision): boolean => decision.outcome !== 'deny'
/** 2: passed on as it is; 1: within limits; 0: refused. */
const rank = ({ outcome }: Decision): number => (outcome === 'deny' ? 0 : outcome === 'forward' ? 2 : 1)

test('The decision agrees with the reference model on every generated request.', () => {
  fc.assert(
    fc.property(scopes, identity, requests, (list, who, request) => {
      const extent = extentOf({ scopes: list, patients: who.patients, fhirUser: who.fhirUser }, request.means)
      const { outcome } = decided(request, grantWith(list, who), policyWith())
      if (extent === 'everything') expect(outcome).toBe('forward')
      if (extent === 'nothing') expect(outcome).toBe('deny')
      if (extent === 'a part') expect(outcome).not.toBe('forward')
    }),
    { numRuns: 6000 },
  )
})

test('Without a resource scope nothing is permitted.', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(otherScope, malformedScope)),
      identity,
      requests,
      policy,
      (list, who, request, on) => {
        expect(isPermitted(decided(request, grantWith(list, who), on))).toBe(false)
      },
    ),
    RUNS,
  )
})

test('Adding a scope never turns a permit into a refusal, nor one without limits into one within limits.', () => {
  fc.assert(
    fc.property(held, held, holder, requests, policy, (list, more, { who, kind }, request, on) => {
      const before = rank(decided(request, grantWith(list, { ...who, kind }), on))
      fc.pre(before > 0)
      expect(rank(decided(request, grantWith([...more, ...list], { ...who, kind }), on))).toBeGreaterThanOrEqual(before)
    }),
    RUNS,
  )
})

test('The order of scopes and their repetition change nothing in a decision.', () => {
  fc.assert(
    fc.property(
      held,
      fc.infiniteStream(fc.nat()),
      holder,
      requests,
      policy,
      (list, order, { who, kind }, request, on) => {
        const shuffled = [...list, ...list]
          .map((scope) => [order.next().value, scope] as const)
          .sort(([a], [b]) => a - b)
        const again = grantWith(
          shuffled.map(([, scope]) => scope),
          { ...who, kind },
        )
        expect(decided(request, again, on)).toEqual(decided(request, grantWith(list, { ...who, kind }), on))
      },
    ),
    RUNS,
  )
})

test('An unknown or malformed scope changes nothing in a decision.', () => {
  const idle = fc.array(fc.oneof(otherScope, malformedScope))
  fc.assert(
    fc.property(held, idle, holder, requests, policy, (list, more, { who, kind }, request, on) => {
      const with_ = decided(request, grantWith([...more, ...list], { ...who, kind }), on)
      expect(with_).toEqual(decided(request, grantWith(list, { ...who, kind }), on))
    }),
    RUNS,
  )
})

test('Contexts are never mixed: one access is permitted only if one scope alone permits it.', () => {
  fc.assert(
    fc.property(held, holder, requests, policy, (list, { who, kind }, request, on) => {
      const read = readLine(lineOf(request), extrasOf(request))
      fc.pre(!isRefusal(read) && read.required[0]!.needs.length === 1)
      const alone = list.some((scope) => isPermitted(decided(request, grantWith([scope], { ...who, kind }), on)))
      expect(isPermitted(decided(request, grantWith(list, { ...who, kind }), on))).toBe(alone)
    }),
    RUNS,
  )
})

test('A patient/ scope without a launch patient grants nothing.', () => {
  fc.assert(
    fc.property(held, holder, requests, policy, (list, { who, kind }, request, on) => {
      const facts = { ...who, kind, patients: [] }
      const others = list.filter((scope) => !scope.startsWith('patient/'))
      expect(isPermitted(decided(request, grantWith(list, facts), on))).toBe(
        isPermitted(decided(request, grantWith(others, facts), on)),
      )
    }),
    RUNS,
  )
})

test('A granular scope never widens: it permits nothing that its type and letters would not permit without the filter.', () => {
  fc.assert(
    fc.property(held, granularScope, holder, requests, policy, (list, granular, { who, kind }, request, on) => {
      const facts = { ...who, kind }
      const without = rank(decided(request, grantWith(list, facts), on))
      const beside = rank(decided(request, grantWith([...list, granular], facts), on))
      const [plain] = granular.split('?') as [string]
      expect(rank(decided(request, grantWith([...list, plain], facts), on))).toBeGreaterThanOrEqual(beside)
      // What passes without limits passed without it before.
      if (beside === 2) expect(without).toBe(2)
    }),
    RUNS,
  )
})

test('A search gets the same decision by GET, by HEAD and by POST _search, wherever its parameters stand.', () => {
  fc.assert(
    fc.property(held, holder, searches, policy, fc.nat(9), (list, { who, kind }, request, on, at) => {
      const grant = grantWith(list, { ...who, kind })
      const pieces = request.query.split('&')
      const cut = at % (pieces.length + 1)
      const byPost = `POST /${request.path === '' ? '' : `${request.path}/`}_search?${pieces.slice(0, cut).join('&')}`
      const expected = decided(request, grant, on)
      expect(decided({ ...request, method: 'HEAD' }, grant, on)).toEqual(expected)
      expect(decideLine(byPost, grant, on, { body: pieces.slice(cut).join('&') })).toEqual(expected)
    }),
    RUNS,
  )
})

test('A transaction or batch is permitted exactly if each of its entries is, sent alone through that door.', () => {
  const entries = fc.array(requests, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(held, holder, entries, fc.constantFrom('batch', 'transaction'), (list, { who, kind }, parts, type) => {
      const grant = grantWith(list, { ...who, kind })
      const permitted = (on: typeof products, ...some: GeneratedRequest[]): boolean => {
        const bundle = decideLine('POST /', grant, on, { body: bundleOf(type, some.map(entryOf)) })
        if (isRefusal(bundle)) throw new Error(bundle.detail)
        return isPermitted(bundle)
      }
      // The root is searched with its query in the url of an entry, which must not be empty.
      fc.pre(parts.every(({ path, query }) => path !== '' || query.replaceAll(/[\w-]+=(&|$)/g, '') !== ''))
      expect(permitted(products, ...parts)).toBe(parts.every((part) => permitted(products, part)))
      // Where no product scope is bound to a door, an entry alone is as good as the single request.
      expect(permitted(policyWith(), ...parts)).toBe(
        parts.every((part) => isPermitted(decided(part, grant, policyWith()))),
      )
    }),
    RUNS,
  )
})

test('The scopes that a refusal offers would do by themselves, and every one of them is needed.', () => {
  fc.assert(
    fc.property(held, holder, requests, policy, (list, { who, kind }, request, on) => {
      const decision = decided(request, grantWith(list, { ...who, kind }), on)
      fc.pre(decision.outcome === 'deny' && decision.refusal.extras.scopes !== undefined)
      const offered = (decision.outcome === 'deny' && decision.refusal.extras.scopes) || []
      const patients = who.patients.length > 0 ? who.patients : ['p1']
      const codeWith = (some: readonly string[]): string => {
        const again = decided(request, grantWith(some, { ...who, kind, patients }), on)
        return again.outcome === 'deny' ? again.refusal.code : 'permitted'
      }
      expect(['permitted', 'constraint-unenforceable', 'patient-mismatch']).toContain(codeWith(offered))
      for (const left of codeWith(offered) === 'permitted' ? offered : []) {
        expect(codeWith(offered.filter((scope) => scope !== left))).not.toBe('permitted')
      }
      expect(offered).toEqual([...offered].sort())
      expect(offered.some((scope) => parseScope(scope)?.type === '*')).toBe(false)
    }),
    RUNS,
  )
})

test('The remembered decision is the decision.', () => {
  const policies = [
    policyWith({ route: 'a' }),
    policyWith({ route: 'b', userScopes: 'refuse' }),
    policyWith({ route: 'c', userScopes: 'fhirUser' }),
    policyWith({ route: 'd', smart: false }),
    { ...products, route: 'e' },
  ]
  // Few holders and many requests through one cache, so that whatever two keys forgot to tell apart meets.
  const holders = fc.array(fc.tuple(held, holder), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(holders, fc.array(requests, { minLength: 2, maxLength: 20 }), (several, asked) => {
      const remembered = rememberDecisions(decide, { generation: 1, now: () => 0 })
      for (const request of asked) {
        const read = readLine(lineOf(request), extrasOf(request))
        if (isRefusal(read)) throw new Error(read.detail)
        for (const [list, { who, kind }] of several) {
          const grant = grantWith(list, { ...who, kind })
          for (const on of policies) {
            const fresh = decide(read.required, grant, on)
            expect(withoutIds(remembered(read.required, grant, on))).toEqual(withoutIds(fresh))
          }
        }
      }
    }),
    { numRuns: 150 },
  )
})

test('A user who is one of several launch patients reaches with user/ scopes only the own record, remembered or not.', () => {
  const remembered = rememberDecisions(decide, { generation: 1, now: () => 0 })
  const grant = grantWith('user/Patient.r', { patients: ['p1', 'p2'], fhirUser: 'Patient/p1' })
  const outcome = (line: string): string => {
    const read = readLine(line)
    return isRefusal(read) ? read.code : remembered(read.required, grant, policyWith()).outcome
  }
  for (const _ of [1, 2]) {
    expect(outcome('GET /Patient/p1')).not.toBe('deny')
    expect(outcome('GET /Patient/p2')).toBe('deny')
  }
})

/** What is remembered for one id stands for others of the same relation to the token. Of the policy its route is enough. */
function withoutIds(decision: Decision): unknown {
  return JSON.parse(
    JSON.stringify(decision, (name, value) => {
      if (name === 'policy') return value.route
      return name === 'id' ? undefined : value
    }),
  )
}
