import { describe, expect, test } from 'vitest'
import { substitute } from '../../../src/config/source/environment.ts'
import { mapWith, ref, said, settingsFrom } from '../support/maps.ts'

describe('substitute', () => {
  const env = { NAME: 'value', EMPTY: '', NESTED: ref('NAME') }

  test.each([
    ['plain', 'plain'],
    [ref('NAME'), 'value'],
    [`a-${ref('NAME')}-${ref('NAME')}`, 'a-value-value'],
    [ref('NAME:-other'), 'value'],
    [ref('NONE:-other'), 'other'],
    [ref('NONE:-'), ''],
    [ref('EMPTY'), ''],
    [ref('EMPTY:-other'), 'other'],
    [ref('NONE:-http://h:1/p?q'), 'http://h:1/p?q'],
    [`$${ref('NAME')}`, ref('NAME')],
    [ref('NESTED'), ref('NAME')],
    ['$NAME and { }', '$NAME and { }'],
  ])('%s becomes "%s"', (text, expected) => {
    expect(substitute(text, env)).toEqual({ text: expected, faults: [] })
  })

  test.each([
    [ref('NONE'), 'NONE is not set'],
    [ref('constructor'), 'constructor is not set'],
    [ref('NAME-x'), 'no reference'],
    [ref(''), 'no reference'],
    [ref('NAME').slice(0, -1), 'no reference'],
    [ref('a b'), 'no reference'],
  ])('%s is a fault', (text, expected) => {
    expect(substitute(text, env).faults.join()).toContain(expected)
  })
})

describe('in a route map', () => {
  const limits = (value: string) => mapWith({ replace: ['8080 }', `8080, limits: { searchParameters: ${value} } }`] })
  const pages = (value: string) => mapWith({ replace: ['smart: true', `smart: "${value}"`] })

  test('a number or a switch may come from the environment', () => {
    expect(settingsFrom(limits(`"${ref('N')}"`), { N: '77' }).server.limits.searchParameters).toBe(77)
    expect(settingsFrom(pages(ref('SMART:-true'))).routes[0]).toHaveProperty('smart')
    expect(settingsFrom(pages(ref('SMART:-true')), { SMART: 'false' }).routes[0]).not.toHaveProperty('smart')
  })

  test('without quotes in block style too', () => {
    const text = mapWith({
      replace: [
        'server: { listen: 127.0.0.1:8080 }',
        `server:\n  listen: 127.0.0.1:8080\n  limits:\n    searchParameters: ${ref('N:-8')}`,
      ],
    })
    expect(settingsFrom(text).server.limits.searchParameters).toBe(8)
  })

  test('a text stays a text, whatever it looks like', () => {
    const text = mapWith({ replace: ['name: ehr', `name: "${ref('ISSUER')}"`] })
    expect(settingsFrom(text, { ISSUER: '007' }).issuers[0]?.name).toBe('007')
  })

  test('only what came from the environment is read as a number', () => {
    expect(said(limits('"77"')).problems.join()).toContain('expected a whole number of at least 1, got "77"')
  })

  test('a wrong value is shown as it is written, never what it came out as', () => {
    const { problems } = said(limits(`"${ref('N')}"`), { N: 'hunter2' })
    expect(problems).toEqual([`routes.yaml:2:63: expected a whole number of at least 1, got "${ref('N')}"`])
  })

  test('an empty value counts as not written: for a key, in a list, and where it is needed', () => {
    const optional = mapWith({ replace: ['8080 }', `8080, publicUrl: "${ref('URL:-')}" }`] })
    expect(settingsFrom(optional).server.publicUrl).toBe('http://127.0.0.1:8080')
    const item = mapWith({ replace: ['[http://127.0.0.1:8080/fhir]', `["${ref('A:-')}", b]`] })
    expect(settingsFrom(item).issuers[0]?.audience).toEqual(['b'])
    const needed = mapWith({ replace: ['listen: 127.0.0.1:8080', `listen: "${ref('L:-')}"`] })
    expect(said(needed).problems).toEqual([`routes.yaml:2:11: missing key "listen": ${ref('L:-')} came out empty`])
  })

  test('places stay right behind an empty item', () => {
    const text = mapWith({
      replace: ['smart: true', `smart: true, patientScopes: { sharedTypes: ["${ref('A:-')}", Observation] }`],
    })
    expect(said(text).problems.join()).toMatch(/^routes\.yaml:12:112: Observation cannot be shared/)
  })

  test('an unset variable is one problem at its place, however needed the value is', () => {
    const text = mapWith({ replace: ['url: http://127.0.0.1:8101/fhir', `url: "${ref('HAPI')}"`] })
    expect(said(text).problems).toEqual([
      `routes.yaml:6:16: the environment variable HAPI is not set; set it, or write ${ref('HAPI:-default')}`,
    ])
  })
})
