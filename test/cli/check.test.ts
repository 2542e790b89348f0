import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type CheckOptions, check } from '../../src/cli/check.ts'
import { mapWith, mapWithFhirKey, sample } from '../config/support/maps.ts'

const directory = mkdtempSync(join(tmpdir(), 'scopegate-check-'))
afterAll(() => rmSync(directory, { recursive: true }))

function run(
  text: string | undefined,
  options: CheckOptions = {},
): { code: number; out: string; err: string; file: string } {
  const file = join(directory, text === undefined ? 'none.yaml' : 'routes.yaml')
  if (text !== undefined) writeFileSync(file, text)
  const [out, err]: [string[], string[]] = [[], []]
  const code = check(file, { env: {}, print: (line) => out.push(line), complain: (line) => err.push(line), ...options })
  return { code, out: out.join('\n'), err: err.join('\n'), file }
}

test('a valid map is counted in one line', () => {
  const { code, out, err, file } = run(sample('several'))
  expect([code, out, err]).toEqual([
    0,
    `${file} is valid: 3 routes, 2 issuers, 2 upstreams, 3 scopes in the catalogue.`,
    '',
  ])
})

test('a broken one is told place by place', () => {
  const { code, out, err, file } = run(mapWithFhirKey('sealPage: true, userScopes: any'))
  expect([code, out]).toEqual([1, ''])
  expect(err.split('\n')).toEqual([
    `${file}:12:71: unknown key "sealPage"; did you mean "sealPages"?`,
    `${file}:12:99: expected one of delegate, fhirUser, refuse, got "any"`,
    `${file} is not valid: 2 problems.`,
  ])
})

test('warnings are marked and do not fail', () => {
  const { code, err } = run(mapWithFhirKey('trustNarrowing: true'))
  expect(code).toBe(0)
  expect(err).toContain('routes.yaml:12:71: warning: not built yet: "trustNarrowing"')
})

test('--effective prints the map alone', () => {
  const { code, out } = run(mapWith({}), { effective: true })
  expect(code).toBe(0)
  expect(out.startsWith('version: 1\n')).toBe(true)
  expect(out).toContain('sealPages: true')
})

test('a file that is not there is a problem like any other', () => {
  const { code, err } = run(undefined)
  expect(code).toBe(1)
  expect(err).toContain('there is no such file')
})
