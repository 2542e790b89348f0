import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/domain/fhir/definitions.ts'
import { hasCriterion, parseSearch, type Search } from '../../../src/domain/fhir/search.ts'
import type { Reach } from '../../../src/domain/fhir/search-reach.ts'
import { readForm } from '../../../src/domain/http/request-target.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { R4 } from '../../support/fhir-requests.ts'

const R5 = definitionsOf('R5')

function searchOf(type: string, query: string, definitions = R4): Search {
  const search = parseSearch(readForm(query)!, type, definitions)
  if (isRefusal(search)) throw new Error(search.detail)
  return search
}

/** As `kind Type`, sorted. */
function reaches(type: string, query: string, definitions = R4): string[] {
  return searchOf(type, query, definitions)
    .reaches.map(({ kind, type }: Reach) => `${kind} ${type}`)
    .sort()
}

describe('refused', () => {
  test.each([
    ['Observation', '_INCLUDE=Observation:subject', '_include'],
    ['Observation', '_Id=1', '_id'],
    ['Patient', '_HAS:Observation:patient:code=x', '_has'],
    ['Observation', '_Filter=x', '_filter'],
    ['Observation', '_TYPE=Patient', '_type'],
    ['*', '_Type=Patient', '_type'],
    ['Observation', 'Patient=1', 'patient'],
    ['Observation', 'SUBJECT:Patient.name=x', 'subject'],
    ['Observation', 'sUBJECT.name=x', 'subject'],
  ])('%s?%s: names are case-sensitive, write %s', (type, query, meant) => {
    const refusal = parseSearch(readForm(query)!, type, R4)
    expect(refusal).toMatchObject({ code: 'target-ambiguous' })
    expect(isRefusal(refusal) && refusal.detail).toContain(`write ${meant}.`)
  })

  test.each(['_type=Nothing', '_type=Patient,', '_type=,', '_type=patient', '_type=*', '_type=Patient&_type=x'])(
    'system search with %s names an unknown type',
    (query) => {
      expect(parseSearch(readForm(query)!, '*', R4)).toMatchObject({ code: 'interaction-unknown', status: 400 })
    },
  )

  test('a type of a later FHIR version is unknown in an earlier one', () => {
    expect(isRefusal(parseSearch(readForm('_type=Transport')!, '*', R4))).toBe(true)
    expect(searchOf('*', '_type=Transport', R5).types).toEqual(['Transport'])
  })
})

describe('stays inside the searched type', () => {
  test.each([
    'code=1234-5',
    'patient=1',
    'subject=Patient/1',
    'subject:Patient=1',
    'subject:identifier=http://x|1',
    'subject:missing=true',
    'code:in=http://x/ValueSet/1',
    'code:not=x',
    'code:text=x',
    'value-quantity=gt5',
    'code-value-quantity=a$gt3',
    '_id=1,2',
    '_lastUpdated=gt2020',
    '_tag:not=x',
    '_profile=http://x',
    '_security=x',
    '_source=x',
    '_text=x',
    '_content=x',
    '_count=5&_total=none&_summary=true&_elements=id&_format=json&_pretty=true',
    '_sort=date,-code',
    '_contained=false',
    '_contained=false&_containedType=container',
    'unknown=x',
    'near=1|2',
  ])('Observation?%s', (query) => expect(reaches('Observation', query)).toEqual([]))
})

describe('reaches other types', () => {
  test.each<[string, string, string[]]>([
    // Chains.
    ['Observation', 'subject:Patient.name=Smith', ['probe Patient']],
    ['Observation', 'patient.name=Smith', ['probe Patient']],
    ['Observation', 'subject.name=Smith', ['probe Device', 'probe Group', 'probe Location', 'probe Patient']],
    ['Observation', 'patient.general-practitioner:Practitioner.name=Joe', ['probe Patient', 'probe Practitioner']],
    ['Observation', 'patient.organization.name=x', ['probe Organization', 'probe Patient']],
    ['Observation', 'subject:Nothing.name=x', ['probe *']],
    ['Observation', 'subject:identifier.name=x', ['probe *']],
    ['Observation', 'subject:Patient:x.name=x', ['probe *']],
    ['Observation', 'unknown.name=x', ['probe *']],
    ['Observation', 'code.name=x', ['probe *']],
    ['Observation', 'patient.ORGANIZATION.name=x', ['probe *', 'probe Patient']],
    ['Observation', '_id.name=x', ['probe *']],
    ['*', 'subject.name=x', ['probe *']],
    // Reverse chains.
    ['Patient', '_has:Observation:patient:code=1234-5', ['probe Observation']],
    ['Patient', '_has:Observation:patient:code-value-quantity=a$gt3', ['probe Observation']],
    ['Patient', '_has:Observation:patient:code:not=x', ['probe Observation']],
    ['Patient', '_has:Observation:patient:_has:AuditEvent:entity:agent=x', ['probe AuditEvent', 'probe Observation']],
    ['Patient', '_has:Observation:patient:performer:Practitioner.name=x', ['probe Observation', 'probe Practitioner']],
    ['Patient', '_has:Nothing:patient:code=x', ['probe *']],
    ['Patient', '_has=x', ['probe *']],
    ['Patient', '_has:Observation=x', ['probe *']],
    ['Patient', '_has:Observation:patient=x', ['probe *']],
    ['Patient', '_has:Observation:patient:=x', ['probe *']],
    ['Patient', '_has.Observation=x', ['probe *']],
    ['Observation', 'patient._has:Condition:patient:code=x', ['probe Condition', 'probe Patient']],
    // Includes.
    ['Observation', '_include=Observation:subject:Patient', ['include Patient']],
    ['Observation', '_include:iterate=Observation:subject:Patient', ['include Patient']],
    ['Observation', '_include:recurse=Observation:subject:Patient', ['include Patient']],
    ['Observation', '_include=Observation:patient', ['include Patient']],
    [
      'Observation',
      '_include=Observation:subject',
      ['include Device', 'include Group', 'include Location', 'include Patient'],
    ],
    [
      'Observation',
      '_include=Observation:subject:',
      ['include Device', 'include Group', 'include Location', 'include Patient'],
    ],
    ['Observation', '_include:iterate=Patient:link', ['include Patient', 'include RelatedPerson']],
    ['Observation', '_include=Observation:focus', ['include *']],
    ['Observation', '_include=*', ['include *']],
    ['Observation', '_include=Observation:*', ['include *']],
    ['Observation', '_include=Observation:*:Patient', ['include *']],
    ['Observation', '_include=Observation:unknown', ['include *']],
    ['Observation', '_include=Observation:code', ['include *']],
    ['Observation', '_include=Observation', ['include *']],
    ['Observation', '_include=observation:subject', ['include *']],
    ['Observation', '_include=:subject', ['include *']],
    ['Observation', '_include=Observation:subject:Nothing', ['include *']],
    ['Observation', '_include=Observation:subject:Patient:x', ['include *']],
    ['Observation', '_include=Observation:patient,Observation:encounter', ['include *']],
    ['Observation', '_include=Observation:patient,x:Patient', ['include *']],
    ['Observation', '_revinclude=Provenance:target', ['revinclude Provenance']],
    ['Observation', '_revinclude:iterate=DiagnosticReport:result', ['revinclude DiagnosticReport']],
    ['Observation', '_revinclude=Provenance:*', ['revinclude Provenance']],
    ['Observation', '_revinclude=*', ['revinclude *']],
    ['Observation', '_revinclude=Nothing:target', ['revinclude *']],
    ['Observation', '_revinclude=provenance:target', ['revinclude *']],
    ['Observation', '_revinclude=Provenance', ['revinclude *']],
    ['Observation', '_revinclude=Provenance:target,AuditEvent:entity', ['revinclude *']],
    [
      'Patient',
      '_include=Patient:link:Patient&_revinclude=Observation:patient',
      ['include Patient', 'revinclude Observation'],
    ],
    // Everything else that looks elsewhere.
    ['Observation', '_sort=patient.name', ['probe Patient']],
    ['Observation', '_sort=date,-patient.organization.name', ['probe Organization', 'probe Patient']],
    ['Observation', '_list=42', ['list List']],
    ['Observation', '_list=$current-allergies', ['list List']],
    ['Observation', '_contained=true', ['probe *']],
    ['Observation', '_contained=both', ['probe *']],
    ['Observation', '_contained=false,true', ['probe *']],
    ['Observation', '_contained:x=false', ['probe *']],
    ['Observation', '_filter=subject.name eq x', ['probe *']],
    ['Observation', '_query=current', ['probe *']],
    ['Observation', '_getpages=abc', ['probe *']],
    ['Observation', '__x=1', ['probe *']],
    ['Observation', '_type=Patient', ['probe *']],
    ['*', '_type:not=Patient', ['probe *']],
    ['Observation', 'code:not:in=x', ['probe *']],
    // Modifiers that look at the referenced resources.
    ['Observation', 'patient:in=Group/1', ['probe CareTeam', 'probe Group', 'probe List']],
    ['Observation', 'patient:not-in=List/1', ['probe CareTeam', 'probe Group', 'probe List']],
    ['Encounter', 'location:below=Location/1', ['probe Location']],
    ['Observation', 'focus:above=x', ['probe *']],
  ])('%s?%s', (type, query, expected) => expect(reaches(type, query)).toEqual(expected))

  test.each(['_list', '_filter', '_query', '_LIST', '_contained', '_type', '_x'])(
    'a chain or _has that ends in %s reaches as it does alone',
    (last) => {
      const ending = last === '_list' ? 'list List' : 'probe *'
      expect(reaches('Observation', `patient.${last}=1`)).toContain(ending)
      expect(reaches('Patient', `_has:Observation:patient:${last}=1`)).toContain(ending)
      expect(reaches('Observation', `_sort=patient.${last}`)).toContain(ending)
    },
  )
})

test('a type that the client names is told from one that only may come along', () => {
  const named = (query: string): boolean[] => searchOf('Observation', query).reaches.map(({ named }) => named)
  expect(named('_include=Observation:subject:Patient')).toEqual([true])
  expect(named('_include=Observation:patient')).toEqual([true])
  expect(new Set(named('_include=Observation:subject'))).toEqual(new Set([false]))
  expect(named('_include=*')).toEqual([false])
})

test('a reach never carries text of the client as its type', () => {
  for (const query of ['_revinclude=Robert"%0d%0aX: y:target', '_include=A"B:c', '_has:A"B:c:d=1', 'subject:A"B.c=1']) {
    for (const { type } of searchOf('Observation', query).reaches) expect(type).toBe('*')
  }
})

// Walked name by name, eight ambiguous steps alone would outlast the test runner.
test('an ambiguous chain of many steps costs no more than its length', () => {
  for (const link of ['subject', 'entity', 'focus', 'target', 'based-on', 'patient.link']) {
    for (const steps of [8, 15, 500, 100_000]) {
      const { reaches } = searchOf('Composition', `${`${link}.`.repeat(steps)}name=x`)
      expect(reaches.length).toBeLessThan(400)
      if (steps > 15) expect(reaches.map(({ type }) => type)).toContain('*')
    }
    searchOf('Patient', `${'_has:Observation:patient:'.repeat(50_000)}code=x`)
  }
})

test('the same reach through many parameters is named once', () => {
  const query = Array.from({ length: 100 }, (_, at) => `patient.name=${at}`).join('&')
  expect(searchOf('Observation', query).reaches).toHaveLength(1)
})

describe('parameters', () => {
  test('those without a value are dropped, the rest keeps its order and its repeats', () => {
    const { parameters } = searchOf('Observation', 'code=a&patient=&code=b&_include=&status&date=1')
    expect(parameters.map(({ name, value }) => `${name}=${value}`)).toEqual(['code=a', 'code=b', 'date=1'])
  })

  test('repeated _type names every type of every occurrence, never none', () => {
    expect(searchOf('*', '_type=Patient&_type=Observation').types).toEqual(['Patient', 'Observation'])
    expect(searchOf('*', '_type=Patient,Observation&_type=Observation').types).toEqual(['Patient', 'Observation'])
    expect(searchOf('*', '_type=').types).toBeUndefined()
    expect(searchOf('*', '_lastUpdated=gt2024').types).toBeUndefined()
  })

  test.each<[string, boolean]>([
    ['identifier=x', true],
    ['_id=1', true],
    ['_tag:not=x', true],
    ['_has:Observation:patient:code=x', true],
    ['_list=1', true],
    ['subject:Patient.name=x', true],
    ['_count=5', false],
    ['_sort=name&_total=none', false],
    ['_include=Patient:link', false],
    ['_format=json&_pretty=true&_summary=true', false],
    ['_contained=true', false],
    ['_x=1', false],
    ['identifier=', false],
    ['', false],
  ])('%s chooses resources: %s', (query, expected) => {
    expect(hasCriterion(searchOf('Patient', query))).toBe(expected)
  })
})
