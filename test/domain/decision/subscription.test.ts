// A Subscription is a search that never ends and that nobody guards: whoever writes one must be allowed to search and read all of it.

import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/domain/fhir/definitions.ts'
import { bundleOf, verdictOn } from '../../support/fhir-requests.ts'
import { grantWith, policyWith } from '../../support/grants.ts'

const policy = policyWith()
const channel = { type: 'rest-hook', endpoint: 'https://app.example.org/hook', payload: 'application/fhir+json' }
const subscription = (criteria: unknown, more: object = {}) => ({
  resourceType: 'Subscription',
  id: '1',
  status: 'requested',
  criteria,
  channel,
  ...more,
})
const verdicts = (scopes: string, resource: object, extras = {}): Set<string> => {
  const grant = grantWith(scopes, { patients: ['p'] })
  const entry = { resource, request: { method: 'PUT', url: 'Subscription/1' } }
  const body = JSON.stringify(resource)
  return new Set([
    verdictOn('PUT /Subscription/1', grant, policy, { body, ...extras }),
    verdictOn('POST /Subscription', grant, policy, { body, ...extras }),
    verdictOn('POST /', grant, policy, { body: bundleOf('batch', [entry]), ...extras }),
    verdictOn('POST /', grant, policy, { body: bundleOf('transaction', [entry]), ...extras }),
  ])
}

test.each<[scopes: string, criteria: string, verdict: string]>([
  ['system/Subscription.cu system/Observation.rs', 'Observation?code=x', 'forward'],
  ['system/Subscription.cu system/Observation.r system/Observation.s', 'Observation?code=x&status=final', 'forward'],
  ['system/Subscription.cu system/Observation.r', 'Observation?code=x', 'scope-insufficient'],
  ['system/Subscription.cu system/Observation.s', 'Observation?code=x', 'scope-insufficient'],
  ['system/Subscription.cu system/Condition.rs', 'Observation?code=x', 'scope-insufficient'],
  ['system/Subscription.cu', 'Observation?code=x', 'scope-insufficient'],
  ['system/Observation.rs', 'Observation?code=x', 'scope-insufficient'],
  ['system/Subscription.cu patient/Observation.rs', 'Observation?code=x', 'constraint-unenforceable'],
  ['system/Subscription.cu system/Observation.rs?code=x', 'Observation?code=x', 'constraint-unenforceable'],
  ['patient/*.cruds', 'Observation?code=x', 'scope-insufficient'],
  ['system/Subscription.cu system/Observation.rs', 'Observation?subject:Patient.name=x', 'scope-insufficient'],
  ['system/Subscription.cu system/Observation.rs system/Patient.s', 'Observation?subject:Patient.name=x', 'forward'],
  ['system/Subscription.cu system/Observation.rs', 'Observation?_has:Provenance:target:agent=x', 'scope-insufficient'],
])('%s: %s: %s', (scopes, criteria, verdict) => {
  expect(verdicts(scopes, subscription(criteria))).toEqual(new Set([verdict]))
})

describe('what cannot be told needs everything', () => {
  test.each<[name: string, resource: object]>([
    ['no criteria', subscription(undefined)],
    ['criteria of every type', subscription('Observation')],
    ['criteria of another server', subscription('[Observation,Condition]')],
    ['a topic', subscription('https://example.org/topics/admission')],
    ['an absolute search', subscription('https://example.org/fhir/Observation?code=x')],
    ['an unknown type', subscription('Nothing?code=x')],
    ['criteria that are no text', subscription(['Observation?code=x'])],
    [
      'an extension',
      subscription('Observation?code=x', { extension: [{ url: 'payload-search-criteria', valueString: 'Patient?' }] }),
    ],
    ['a modifier extension', subscription('Observation?code=x', { modifierExtension: [] })],
    ['an extension of the criteria', subscription('Observation?code=x', { _criteria: { extension: [] } })],
    ['an extension of the channel', subscription('Observation?code=x', { channel: { ...channel, extension: [] } })],
    ['a topic besides', subscription('Observation?code=x', { topic: 'https://example.org/topics/admission' })],
  ])('%s', (_, resource) => {
    expect(verdicts('system/Subscription.cu system/Observation.rs', resource)).toEqual(new Set(['scope-insufficient']))
    expect(verdicts('system/Subscription.cu system/*.rs', resource)).toEqual(new Set(['forward']))
  })

  test('in R5, where topics say what is sent', () => {
    const extras = { definitions: definitionsOf('R5') }
    const resource = subscription('Observation?code=x')
    expect(verdicts('system/Subscription.cu system/Observation.rs', resource, extras)).toEqual(
      new Set(['scope-insufficient']),
    )
  })

  test('a patch', () => {
    const grant = grantWith('system/Subscription.cu system/Observation.rs')
    expect(verdictOn('PATCH /Subscription/1', grant, policy)).toBe('scope-insufficient')
  })
})

test('one that two readers would read differently is refused', () => {
  const body = '{"resourceType":"Subscription","criteria":"Observation?code=x","criteria":"Patient?name=x"}'
  expect(verdictOn('POST /Subscription', grantWith('system/*.cruds'), policy, { body })).toBe('body-invalid')
})
