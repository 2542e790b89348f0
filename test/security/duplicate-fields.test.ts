// Two of what may stand once: one reader takes the first, another the last (undici CVE-2026-1525 even sent two lengths of its own). The
// request is refused, and what we send has each field once.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()

test.each<[string, string, string]>([
  ['Host', 'Host: client.test', '400 header-ambiguous'],
  ['Host of another case', 'HOST: other.test', '400 header-ambiguous'],
  ['Authorization, the same', '{same}', '400 credential-ambiguous'],
  ['Authorization, another', 'authorization: Bearer x', '400 credential-ambiguous'],
  ['Authorization, another scheme', 'Authorization: Basic YTpi', '400 credential-ambiguous'],
  ['a key beside it', 'X-API-Key: sgk_x', '400 credential-ambiguous'],
  ['Content-Length, the same', 'Content-Length: 2', '400 header-ambiguous'],
  ['Content-Length, another', 'Content-Length: 3', '400 header-ambiguous'],
  ['Content-Length, of another case', 'content-LENGTH: 3', '400 header-ambiguous'],
  ['Content-Type', 'Content-Type: text/plain', '400 header-ambiguous'],
])('%s twice', async (_, field, verdict) => {
  const fields = [border.authorization, 'Content-Type: application/json', 'Content-Length: 2']
  const twice = field === '{same}' ? border.authorization : field
  for (const all of [
    [...fields, twice],
    [twice, ...fields],
  ]) {
    await border.refused(requestText('POST /app/x', all, '{}'), verdict)
  }
})

test.each([
  'If-Match: W/"1"',
  'If-None-Exist: a=b',
  'Range: bytes=0-1',
  'If-Modified-Since: x',
  'Content-Encoding: gzip',
  'DPoP: x',
])('%s twice', async (field) => {
  const fields = [border.authorization, field, field.toLowerCase()]
  await border.refused(requestText('GET /fhir/R4/Patient/p1', fields), '400 header-ambiguous')
})

test('what we send has each field once, whatever lists the client sends', async () => {
  const fields = [
    border.authorization,
    'Accept: a/b',
    'accept: c/d',
    'Via: 1.1 a',
    'via: 1.1 b',
    'X-Forwarded-For: 1.2.3.4',
    'x-forwarded-for: 1.2.3.5',
  ]
  const { fields: sent } = await border.passed(requestText('POST /app/x', [...fields, 'Content-Length: 2'], 'ok'))
  const names = sent.map(([name]) => name)
  for (const name of ['host', 'content-length', 'connection', 'x-request-id', 'x-user', 'x-forwarded-for', 'via']) {
    expect(
      names.filter((each) => each === name),
      name,
    ).toHaveLength(1)
  }
  expect(names).not.toContain('authorization')
})
