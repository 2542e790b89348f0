// Search criteria in what entries of Bundles write (contract §3 `criteria`): free of `s` only where the write itself is covered by an
// unfiltered system/ scope whose criteria count, and only what a write may carry: no search, no chain, no deletion, no single request.

import { describe, expect, test } from 'vitest'
import { bundleOf, verdictOn } from '../../support/fhir-requests.ts'
import { catalogueOf, grantWith, policyWith, worth } from '../../support/grants.ts'

const entry = (method: string, url: string, resource?: object, more: object = {}) => ({
  ...(resource && { resource }),
  request: { method, url, ...more },
})
const patient = { resourceType: 'Patient' }
const referring = { resourceType: 'Encounter', subject: { reference: 'Patient?identifier=x' } }

const CARRIED = {
  'a conditional create': [entry('POST', 'Patient', patient, { ifNoneExist: 'identifier=x' })],
  'a conditional update': [entry('PUT', 'Patient?identifier=x', patient)],
  'a conditional reference': [entry('POST', 'Encounter', referring)],
  'a conditional reference in an update': [entry('PUT', 'Encounter/1', { ...referring, id: '1' })],
}
const NOT_CARRIED = {
  'a search': [entry('GET', 'Patient?identifier=x')],
  'a search beside a conditional create of the same type': [
    entry('POST', 'Patient', patient, { ifNoneExist: 'identifier=x' }),
    entry('GET', 'Patient?identifier=x'),
  ],
  'a chain in a condition': [entry('POST', 'Patient', patient, { ifNoneExist: 'organization.name=x' })],
  'a chain in a reference': [
    entry('POST', 'Encounter', { ...referring, subject: { reference: 'Patient?organization.name=x' } }),
  ],
  'a conditional delete': [entry('DELETE', 'Patient?identifier=x')],
  'a conditional patch': [entry('PATCH', 'Patient?identifier=x', { resourceType: 'Binary' })],
}

const catalogue = catalogueOf({ push: ['oauth2'] })
const pushing = policyWith({ catalogue, worths: [worth('push', 'system/*.cud', ['bundle'], true)] })
const grant = grantWith('push')

describe.each(['batch', 'transaction'] as const)('%s', (type) => {
  const verdict = (entries: readonly object[], scopes = grant, policy = pushing): string =>
    verdictOn('POST /', scopes, policy, { body: bundleOf(type, entries) })

  test.each(Object.entries(CARRIED))('%s is carried', (_, entries) => {
    expect(verdict(entries)).toBe('forward')
  })

  test.each(Object.entries(NOT_CARRIED))('%s is not', (_, entries) => {
    expect(verdict(entries)).toBe('scope-insufficient')
  })

  test.each(Object.entries(CARRIED))('%s needs s without it', (_, entries) => {
    const policy = policyWith({ catalogue, worths: [worth('push', 'system/*.cud', ['bundle'])] })
    expect(verdict(entries, grant, policy)).toBe('scope-insufficient')
    expect(verdict(entries, grantWith('system/*.cud'), pushing)).toBe('scope-insufficient')
  })

  test.each(Object.entries(CARRIED))('%s: SMART system/ scopes by criteriaWithoutSearch', (_, entries) => {
    const policy = policyWith({ criteriaWithoutSearch: true })
    expect(verdict(entries, grantWith('system/*.cu'), policy)).toBe('forward')
    expect(verdict(entries, grantWith('system/Patient.cu system/Encounter.cu'), policy)).toBe('forward')
    expect(verdict(entries, grantWith('user/*.cu', { fhirUser: 'Practitioner/1' }), policy)).toBe('scope-insufficient')
    expect(verdict(entries, grantWith('patient/*.cu', { patients: ['p'] }), policy)).toBe('scope-insufficient')
    expect(verdict(entries, grantWith('system/*.cu?_tag=a'), policy)).toBe('scope-insufficient')
    expect(verdict(entries, grantWith('system/*.rd'), policy)).toBe('scope-insufficient')
  })

  test('a right to write one type carries no criteria in what another right writes', () => {
    const policy = policyWith({ catalogue, worths: [worth('push', 'system/Patient.cu', ['bundle'], true)] })
    const both = grantWith('push system/Encounter.c')
    expect(verdict(CARRIED['a conditional create'], both, policy)).toBe('forward')
    expect(verdict(CARRIED['a conditional reference'], both, policy)).toBe('scope-insufficient')
  })
})

test('a single request is no entry: its condition needs s', () => {
  const policy = policyWith({ catalogue, worths: [worth('push', 'system/*.cu', ['rest', 'bundle'], true)] })
  expect(verdictOn('PUT /Patient?identifier=x', grant, policy)).toBe('scope-insufficient')
  expect(verdictOn('POST /Patient', grant, policy, { ifNoneExist: 'identifier=x' })).toBe('scope-insufficient')
  expect(verdictOn('POST /Patient', grant, policy)).toBe('forward')
})
