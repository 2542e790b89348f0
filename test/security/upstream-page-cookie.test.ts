// The page ids of a server are cookies that know no caller: whoever has one reads the page. Others let `_getpages` past their checks,
// trusting that nobody could guess one. Here no parameter that could be one goes by, by any door, without a scope on everything.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verdictsOf } from '../support/http-client.ts'
import { type Rig, type RigAsk, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const COOKIES = [
  '_getpages=1234',
  '_page=1234',
  'page_token=1234&_page_token=x',
  '_cursor=1234',
  'ct=1234&_ct=1234',
  '_skip=1&_getpagesoffset=10',
  '__t=1',
  '_getPages=1234',
  '_getpages:x=1234',
  '_getpages.x=1234',
]

test.each(COOKIES)('%s', async (cookie) => {
  const doors: readonly (readonly [line: string, ask: RigAsk])[] = [
    [`GET /fhir/R4?${cookie}`, {}],
    [`GET /fhir/R4/?${cookie}`, {}],
    [`GET /fhir/R4?${cookie}&_type=Patient`, {}],
    [`GET /fhir/R4/Patient?${cookie}`, {}],
    [`GET /fhir/R4/Patient/p1?${cookie}`, {}],
    [`GET /fhir/R4/Patient/p1/_history?${cookie}`, {}],
    [`GET /fhir/R4/Patient/p1/Observation?${cookie}`, {}],
    ['POST /fhir/R4/Patient/_search', { headers: FORM, body: cookie }],
    [`POST /fhir/R4/Patient/_search?${cookie}`, { headers: FORM, body: '' }],
    ['POST /fhir/R4/_search', { headers: FORM, body: cookie }],
    [
      'POST /fhir/R4',
      { body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `?${cookie}` } }] } },
    ],
    [
      'POST /fhir/R4',
      {
        body: {
          resourceType: 'Bundle',
          type: 'batch',
          entry: [{ request: { method: 'GET', url: `Patient?${cookie}` } }],
        },
      },
    ],
  ]
  for (const scope of ['system/Patient.cruds system/Observation.cruds', 'patient/Patient.rs patient/Observation.rs']) {
    for (const [line, ask] of doors) {
      const answer = await rig.ask(line, { scope, claims: { patient: 'p1' }, ...ask })
      for (const verdict of verdictsOf(answer)) expect(verdict, `${scope}: ${line}`).toMatch(/^(?:403|400) [a-z-]+$/)
    }
  }
  expect(rig.upstream.arrived).toEqual([])
})
