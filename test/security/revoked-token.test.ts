// A token that was revoked: remembered or not, whatever its spelling, from the next request on, whoever revoked it and wherever that is
// kept; and what is posted to revoke is read strictly.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const READ = 'GET /fhir/R4/Patient/p1'
const JSON_TYPE = { 'content-type': 'application/json' }

let rig: Rig
let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-revocations-'))
  file = join(folder, 'revocations.jsonl')
})
afterEach(async () => {
  await rig.close()
  rmSync(folder, { recursive: true })
})

const withFile = async (text = ''): Promise<Rig> => {
  writeFileSync(file, text)
  rig = await startRig({ map: fhirMap({ more: `revocations: { file: "${file}" }` }) })
  return rig
}
const tokenOf = (jti: string, claims = {}): Promise<string> => rig.token('system/*.rs', { jti, ...claims })
const verdict = async (token: string): Promise<string> => verdictOf(await rig.ask(READ, { token }))
const revoke = (body: object | string) => rig.askAdmin('POST /revocations', { headers: JSON_TYPE, body })

test('ends with the next request, remembered or not, and is told like every bad token', async () => {
  rig = await startRig()
  const [one, two] = await Promise.all([tokenOf('one'), tokenOf('two')])
  expect([await verdict(one), await verdict(two)]).toEqual(['200', '200'])
  const answer = await revoke({ iss: rig.issuer.url, jti: 'one' })
  expect([answer.status, answer.json.kept]).toEqual([200, 'in memory'])
  rig.upstream.reset()
  const refused = await rig.ask(READ, { token: one })
  expect(verdictOf(refused)).toBe('401 token-revoked')
  expect(refused.headers['www-authenticate']).toContain('error="invalid_token"')
  expect(await verdict(await tokenOf('one', { sub: 'fresh' }))).toBe('401 token-revoked')
  expect(rig.upstream.arrived).toEqual([])
  expect(await verdict(two)).toBe('200')
  expect(rig.log()).not.toContain('"one"')
})

test('a subject and a client end with everything that was issued before', async () => {
  rig = await startRig()
  const token = await tokenOf('one')
  expect(await verdict(token)).toBe('200')
  const now = new Date(rig.clock.now).toISOString()
  await revoke({ revocations: [{ iss: rig.issuer.url, sub: 'user-1', issuedBefore: now }] })
  expect(await verdict(token)).toBe('401 token-revoked')
  expect(await verdict(await tokenOf('later', { iat: Math.floor(rig.clock.now / 1000) + 5 }))).toBe('200')
  await revoke({ iss: rig.issuer.url, client: 'app-1' })
  expect(await verdict(await tokenOf('later', { iat: Math.floor(rig.clock.now / 1000) + 5 }))).toBe('401 token-revoked')
})

test('does not come back between its end and the clock skew of its issuer', async () => {
  rig = await startRig()
  const exp = Math.floor(rig.clock.now / 1000) + 60
  const token = await tokenOf('one', { exp })
  await revoke({ iss: rig.issuer.url, jti: 'one', expires: exp })
  for (const passed of [60, 5, 20]) {
    rig.clock.now += passed * 1000
    expect(await verdict(token)).toBe('401 token-revoked')
  }
})

test('is kept in the file, and counts after a restart', async () => {
  await withFile()
  const token = await tokenOf('one')
  expect((await revoke({ iss: rig.issuer.url, jti: 'one' })).json.kept).toBe('in the file')
  expect(await verdict(token)).toBe('401 token-revoked')
  const kept = readFileSync(file, 'utf8')
  expect(JSON.parse(kept)).toMatchObject({ iss: rig.issuer.url, jti: 'one' })
  await rig.close()
  await withFile(kept.replace(/"iss":"[^"]*"/, `"iss":"${rig.issuer.url}"`))
  const listed = (await rig.askAdmin('GET /revocations')).json
  expect(listed).toMatchObject({ revocations: [{ jti: 'one' }], problems: [] })
})

test('counts on after a reload that names no file any more', async () => {
  await withFile()
  const token = await tokenOf('one')
  expect((await revoke({ iss: rig.issuer.url, jti: 'one' })).json.kept).toBe('in the file')
  expect(await rig.reload(fhirMap())).toMatchObject({ problems: [] })
  expect(await verdict(token)).toBe('401 token-revoked')
})

test('counts as soon as somebody writes it into the file, and while the file is broken or gone', async () => {
  await withFile()
  const token = await tokenOf('one')
  expect(await verdict(token)).toBe('200')
  writeFileSync(file, `${JSON.stringify({ iss: rig.issuer.url, jti: 'one' })}\n`)
  await expect.poll(() => verdict(token), { timeout: 5_000, interval: 50 }).toBe('401 token-revoked')
  writeFileSync(file, 'broken')
  const problems = async () => (await rig.askAdmin('GET /revocations')).json.problems.length
  await expect.poll(problems, { timeout: 5_000, interval: 50 }).toBe(1)
  expect(await verdict(token)).toBe('401 token-revoked')
  const answer = await revoke({ iss: rig.issuer.url, jti: 'two' })
  expect([answer.status, answer.json.kept]).toEqual([500, 'in memory'])
  expect(await verdict(await tokenOf('two'))).toBe('401 token-revoked')
  rmSync(file)
  expect(await verdict(token)).toBe('401 token-revoked')
})

test('a gateway whose revocations are lost does not start', async () => {
  rig = await startRig()
  await expect(
    startRig({ map: fhirMap({ more: `revocations: { file: "${join(folder, 'none')}" }` }) }),
  ).rejects.toThrow(/Create an empty one/)
  writeFileSync(file, '{"iss":"x"}\n')
  await expect(startRig({ map: fhirMap({ more: `revocations: { file: "${file}" }` }) })).rejects.toThrow(
    /:1:1: give exactly/,
  )
})

test('of an issuer that the route map does not know is taken, and told', async () => {
  rig = await startRig()
  const { revoked, warnings } = (await revoke({ iss: `${rig.issuer.url}/`, jti: 'one' })).json
  expect([revoked.length, warnings]).toEqual([1, [expect.stringContaining('Revocation 1: no issuer')]])
  expect((await revoke({ iss: rig.issuer.url, jti: 'one' })).json).not.toHaveProperty('warnings')
})

describe('what is posted wrongly revokes nothing', () => {
  beforeEach(async () => {
    rig = await startRig()
  })
  test.each([
    '',
    '[]',
    '{}',
    '{"revocations":{}}',
    '{"revocations":[1]}',
    '{"revocations":[],"x":1}',
    '{"iss":"i","jti":"a","jti":"b"}',
    '{"iss":"i","token":"zebra-7781"}',
    '{"revocations":[{"iss":"i","jti":"a"},{"iss":"i"}]}',
  ])('%s', async (body) => {
    const answer = await revoke(body)
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('zebra')
    expect((await rig.askAdmin('GET /revocations')).json.revocations).toEqual([])
  })

  test('by a form of a web page', async () => {
    const headers = { 'content-type': 'text/plain' }
    const answer = await rig.askAdmin('POST /revocations', { headers, body: `{"iss":"${rig.issuer.url}","jti":"a"}` })
    expect(answer.status).toBe(415)
    expect((await rig.askAdmin('DELETE /revocations')).status).toBe(405)
  })
})
