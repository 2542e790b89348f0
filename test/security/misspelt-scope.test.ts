// A scope with anything before, behind or inside it that the grammar does not have was read as the nearest valid one by others, so
// it granted more than was written. Here it grants nothing, and a token that holds nothing else has no access at all.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())

const DOORS = [
  'GET /fhir/R4/Observation/o1',
  'GET /fhir/R4/Observation?code=x',
  'DELETE /fhir/R4/Observation/o1',
] as const

const MISSPELT = [
  'Observation.read-only',
  'Observation.readonly',
  'Observation.rs?active',
  'Observation.rs?',
  'Observation.rs?category',
  'Observation.rs?category=',
  'Observation.rs?=x',
  'Observation.rs?category==x',
  'Observation.rs?category=a=b',
  'Observation.rs?category:not=x',
  'Observation.rs?subject.name=x',
  'Observation.rs?_include=x',
  'Observation.rs?_has:Patient:x:y=z',
  'Observation.rs&category=x',
  'Observation.rs#category=x',
  'Observation.rs;category=x',
  'Observation.rsXYZ',
  'Observation.rsd',
  'Observation.dsr',
  'Observation.rr',
  'Observation.RS',
  'Observation.Read',
  'Observation.',
  'Observation',
  'Observation.rs.rs',
  'Observation.rs,system/*.cruds',
  'Observation.read?category=x',
  'observation.rs',
  'Observations.rs',
  '/Observation.rs',
  'Observation/o1.rs',
  '%2A.cruds',
  '**.cruds',
  'Obs*.cruds',
  '.cruds',
  '*.',
  '*',
] as const

test.each([
  ...MISSPELT.flatMap((scope) => [`system/${scope}`, `user/${scope}`]),
  'System/*.cruds',
  'SYSTEM/*.cruds',
  'system//*.cruds',
  'system\\*.cruds',
  'systems/*.cruds',
  'all/*.cruds',
  '*/*.cruds',
  '*.cruds',
  '*/*.*',
  '/*.cruds',
])('%s grants nothing, alone and beside others', async (scope) => {
  rig.upstream.reset()
  for (const line of DOORS) {
    for (const held of [scope, `openid ${scope} launch/patient`, `system/Group.cruds ${scope}`]) {
      const answer = await rig.ask(line, { scope: held, claims: { patient: 'p1', fhirUser: 'Practitioner/1' } })
      expect(verdictOf(answer), `${held}: ${line}`).toBe('403 scope-insufficient')
    }
  }
  expect(rig.upstream.arrived).toEqual([])
})

test('a separator that is no space makes no second scope', async () => {
  for (const separator of ['\t', '\n', '\u00a0', '\u2028', ',', ';', '%20', '+', '\0']) {
    for (const scope of [`openid${separator}system/*.cruds`, `system/*.cruds${separator}openid`]) {
      const answer = await rig.ask(DOORS[0], { claims: { scope } })
      expect(verdictOf(answer), JSON.stringify(scope)).toBe('403 scope-insufficient')
    }
  }
  // An array is a list of scopes, not of texts to be split.
  expect(verdictOf(await rig.ask(DOORS[0], { claims: { scope: ['openid system/*.cruds'] } }))).toBe(
    '403 scope-insufficient',
  )
})
