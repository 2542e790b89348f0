// An entry of a Bundle is a request like any other. Others checked a scope on Bundle itself, forgot limits when they copied the
// context, judged a search within a transaction as a read, or took every POST entry for a create.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verdictOf, verdictsOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

type Entry = readonly [method: string, url: string, resource?: object]

function post(type: string, entries: readonly Entry[], scope: string, claims: Record<string, unknown> = {}) {
  const entry = entries.map(([method, url, resource]) => ({ request: { method, url }, ...(resource && { resource }) }))
  return rig.ask('POST /fhir/R4', { scope, claims, body: { resourceType: 'Bundle', type, entry } })
}

const GROUP = { resourceType: 'Group', id: 'g1' }

test.each<[name: string, scope: string, entry: Entry]>([
  ['a scope on Bundle opens no entry', 'system/Bundle.cruds user/Bundle.*', ['GET', 'Patient/p1']],
  ['a scope that writes everything reads nothing', 'system/*.write', ['GET', 'Patient/p1']],
  ['a scope that writes everything finds nothing', 'system/*.write', ['GET', 'Patient?name=x']],
  ['a search is no read', 'system/*.crud', ['GET', 'Patient?name=x']],
  ['a search is no read, without parameters', 'system/*.crud', ['GET', 'Patient']],
  ['a search by POST is no create', 'system/*.crud', ['POST', 'Patient/_search?name=x']],
  ['a create is no search', 'system/*.ruds', ['POST', 'Group', GROUP]],
  [
    'an operation by POST is no create',
    'system/*.cruds',
    ['POST', 'Patient/p1/$meta-add', { resourceType: 'Parameters' }],
  ],
  ['an operation by GET is no read', 'system/*.cruds', ['GET', 'Patient/p1/$everything']],
  ['a compartment is a search', 'system/*.crud', ['GET', 'Patient/p1/Observation']],
  ['history is its own', 'system/Patient.cruds', ['GET', '_history']],
  ['a way to another type', 'system/Patient.cruds', ['GET', 'Patient/p1/Observation']],
  ['everything at the base', 'system/Patient.cruds', ['GET', '?_type=Patient,Group']],
  ['an update by condition needs the search', 'system/Group.u', ['PUT', 'Group?identifier=x', GROUP]],
  ['a delete by condition needs the search', 'system/Group.d', ['DELETE', 'Group?identifier=x']],
])('%s', async (_, scope, entry) => {
  for (const type of ['batch', 'transaction']) {
    for (const entries of [[entry], [entry, entry]]) {
      const answer = await post(type, entries, scope)
      const verdicts = verdictsOf(answer)
      expect(verdicts).toHaveLength(type === 'batch' ? entries.length : 1)
      for (const verdict of verdicts)
        expect(verdict, answer.text).toMatch(/^403 (scope-insufficient|operation-not-listed)$/)
    }
  }
  expect(rig.upstream.arrived).toEqual([])
})

test('an entry outside never goes on, wherever it stands', async () => {
  const inside: Entry = ['GET', 'Patient/p1']
  for (const position of [0, 1, 5]) {
    const entries = Array.from({ length: 6 }, (_, i): Entry => (i === position ? ['GET', 'Group/g1'] : inside))
    expect(verdictOf(await post('transaction', entries, 'system/Patient.r'))).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
    await post('batch', entries, 'system/Patient.r')
    expect(rig.upstream.arrived.map(({ text }) => text).join()).not.toContain('Group')
    rig.upstream.reset()
  }
})

test('the limits of a scope hold within a Bundle as outside', async () => {
  const theirs = { resourceType: 'Observation', id: 'o2', status: 'final', subject: { reference: 'Patient/p2' } }
  const searchset = {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: [{ resource: theirs, search: { mode: 'match' } }],
  }
  const entries: readonly Entry[] = [
    ['GET', 'Observation/o2'],
    ['GET', 'Observation?code=x'],
    ['GET', 'Patient/p2'],
    ['GET', 'Patient/p2/Observation'],
    ['GET', 'Observation?patient=p2'],
    ['GET', 'Observation/o2/_history'],
    ['GET', 'Observation/_history'],
  ]
  for (const [scope, claims] of [
    ['patient/*.rs', { patient: 'p1' }],
    ['user/*.rs', { fhirUser: 'Patient/p1' }],
    ['system/*.rs?category=no-such-category', {}],
  ] as const) {
    for (const entry of entries) {
      rig.upstream.script = () => ({
        body: {
          resourceType: 'Bundle',
          type: 'batch-response',
          entry: [{ response: { status: '200' }, resource: entry[1].includes('/o2') ? theirs : searchset }],
        },
      })
      const answer = await post('batch', [entry], scope, claims)
      expect(answer.text, `${scope}: ${entry[1]}`).not.toContain('"o2"')
    }
  }
})
