// Requests as bytes, from the honest one to the one that several readers would read in several ways. Tokens stand in them by name:
// `{alice}` becomes her token when it is sent.

import type { Random } from './seeded.ts'

export type Who = 'alice' | 'bob' | 'nobody' | 'none'

export interface Made {
  readonly who: Who
  readonly method: string
  readonly target: string
  readonly text: string
  /** Nothing odd was put in. */
  readonly honest: boolean
}

const ASKED: Readonly<Record<Who, readonly (readonly [method: string, target: string])[]>> = {
  alice: [
    ['GET', '/fhir/R4/Patient/p1'],
    ['HEAD', '/fhir/R4/Patient/p-2.A?_pretty=true'],
    ['GET', '/fhir/R4/Patient/p1/_history/3'],
    ['GET', '/app/read/x?a=1&a=2&b=%20c+d'],
    ['GET', '/app/read/%7Ex/caf%C3%A9?q=http://x/y|z'],
  ],
  bob: [
    ['GET', '/fhir/R4/Observation?code=http://loinc.org|718-7&_count=5'],
    ['POST', '/fhir/R4/Observation/_search'],
    ['POST', '/fhir/R4/Observation'],
    ['PUT', '/fhir/R4/Observation/new'],
    ['DELETE', '/fhir/R4/Observation/o1'],
    ['POST', '/app/write/x'],
    ['PUT', '/app/write/x?y=z'],
    ['DELETE', '/app/write/x'],
    ['PATCH', '/app/write/x'],
  ],
  nobody: [
    ['GET', '/fhir/R4/Patient/p1'],
    ['POST', '/app/write/x'],
    ['DELETE', '/fhir/R4/Observation/o1'],
  ],
  none: [
    ['GET', '/app/public/x'],
    ['HEAD', '/app/public/x/y/?z'],
    ['GET', '/scopes.json'],
    ['GET', '/fhir/R4/metadata'],
    ['GET', '/.well-known/oauth-protected-resource/fhir/R4'],
    ['POST', '/app/write/x'],
    ['GET', '/fhir/R4/Patient/p1'],
  ],
}

const WITH_BODY = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const SMUGGLED = 'GET /fhir/R4/Group/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

const TARGET_TRICKS: readonly ((target: string, random: Random) => string)[] = [
  (target, random) =>
    insert(
      target,
      random.pick(['/..', '/.', '/%2e%2e', '/..;', '//', '/;x=1', '\\', '%2f', '%5c', '%00', '%252e', '%3b', '/.%2e']),
      random,
    ),
  (target, random) => insert(target, random.pick(['/..', '/.', '/', ';x', '%2f..', '%2e', '/%2e%2E']), random),
  (target, random) => insert(insert(target, '/..', random), random.pick(['/x', '/..']), random),
  (target) => `http://client.test${target}`,
  (target) => `${target}#x`,
  (target) => `//evil.example${target}`,
  (target, random) =>
    target +
    random.pick([
      '?',
      '&',
      '?x',
      '&_method=DELETE',
      '&=',
      '?a=%',
      '?a=%zz',
      '?\xe9',
      ' x',
      '%20',
      '/',
      '?a=b;c=d',
      '&patient=p2',
      '?_format=xml',
    ]),
  (target) => target.replace('Patient', 'Group'),
  (target) => target.replace('/R4', '/r4'),
  (target) => target.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  () => '*',
  (target) => target.slice(1),
  (target) => `${target}?${'x=1&'.repeat(250)}`,
  (target) => target + 'a'.repeat(9_000),
]

const ODD_FIELDS = [
  'Host: other.test',
  'Authorization: Bearer {alice}',
  'Authorization: Bearer {bob}',
  'Authorization: Basic YTpi',
  'X-API-Key: sgk_x',
  'X-User: root',
  'X_User: root',
  'X.User: root',
  'X~User: root',
  'X-Auth-Subject: root',
  'X_Auth_Subject: root',
  'Connection: close, X-User',
  'Connection: keep-alive, Authorization',
  'Connection: Content-Length',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'TE: trailers, chunked',
  'Trailer: Authorization',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Early-Data: 1',
  'X-HTTP-Method-Override: DELETE',
  'X-Original-URL: /fhir/R4/Group/g1',
  'X-Forwarded-For: 127.0.0.1',
  'Forwarded: for=127.0.0.1',
  'Proxy: http://evil.example',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length : 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer_Encoding: chunked',
  'Content-Encoding: gzip',
  'Content-Type: application/x-www-form-urlencoded',
  'X-Note: a\rb',
  'X-Note: a\nb',
  'X-Note: caf\xe9',
  'X-Note: a\0b',
  ' folded: x',
  'X-Note\x00: x',
  ': x',
  'X-Note',
  'If-None-Match: *',
  'Range: bytes=0-1',
  '__proto__: x',
  'constructor: x',
  `X-Long: ${'x'.repeat(17_000)}`,
  Array.from({ length: 120 }, (_, i) => `X-${i}: 1`).join('\r\n'),
]

export function makeRequest(random: Random, nonce: string, last: boolean): Made {
  const who = random.pick<Who>(['alice', 'alice', 'bob', 'bob', 'nobody', 'none'])
  const [method, plain] = random.pick(ASKED[who])
  const odd = random.chance(0.7)
  const target = odd && random.chance(0.4) ? random.pick(TARGET_TRICKS)(plain, random) : plain
  const sent =
    odd && random.chance(0.1)
      ? random.pick(['GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI', 'get', 'PURGE', 'QUERY', ''])
      : method
  const version =
    odd && random.chance(0.1)
      ? random.pick(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/1.1 ', ''])
      : 'HTTP/1.1'
  const fields = ['Host: client.test', `X-Correlation-Id: ${nonce}`]
  if (who !== 'none') fields.push(`Authorization: Bearer {${who}}`)
  if (last) fields.push('Connection: close')
  const body = WITH_BODY.includes(sent) ? makeBody(plain, nonce, random) : { fields: [], text: '' }
  fields.push(...body.fields)
  if (odd)
    for (let left = random.below(3); left > 0; left--)
      fields.splice(random.below(fields.length + 1), 0, random.pick(ODD_FIELDS))
  const end = odd && random.chance(0.03) ? random.pick(['\n', '\r', '\r\r\n']) : '\r\n'
  const text = `${sent} ${target} ${version}${end}${fields.join(end)}${end}${end}${body.text}`
  return { who, method: sent, target, text, honest: !odd }
}

function makeBody(target: string, nonce: string, random: Random): { fields: string[]; text: string } {
  const content = contentFor(target, nonce, random)
  const type = target.endsWith('_search') ? 'application/x-www-form-urlencoded' : 'application/fhir+json'
  if (random.chance(0.5))
    return { fields: [`Content-Type: ${type}`, `Content-Length: ${content.length}`], text: content }
  const half = random.below(content.length + 1)
  const extension = random.chance(0.2) ? random.pick([';a=b', ';a="b"', ';', ';a\n', ' ', '\t']) : ''
  const trailer = random.chance(0.2)
    ? random.pick(['X-Trailer: 1\r\n', 'Authorization: Bearer {bob}\r\n', 'Content-Length: 3\r\n', 'X\r\n', ' x\r\n'])
    : ''
  const chunks = [content.slice(0, half), content.slice(half)].filter((chunk) => chunk !== '')
  const text = chunks.map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`).join('')
  return { fields: [`Content-Type: ${type}`, 'Transfer-Encoding: chunked'], text: `${text}0\r\n${trailer}\r\n` }
}

function contentFor(target: string, nonce: string, random: Random): string {
  if (target.endsWith('_search')) return 'code=718-7&_count=3'
  if (!target.startsWith('/fhir')) return random.pick([SMUGGLED, `0\r\n\r\n${SMUGGLED}`, 'plain', nonce])
  const resource = {
    resourceType: 'Observation',
    id: 'new',
    status: 'final',
    note: [{ text: random.pick([SMUGGLED, 'x']) }],
  }
  return JSON.stringify(resource)
}

/** Mostly as a segment, or as a part of one, where a path is split. */
function insert(target: string, what: string, random: Random): string {
  const [path = ''] = target.split('?', 1)
  const slashes = [...path.matchAll(/\//g)].map(({ index }) => index)
  const at = random.chance(0.8) ? random.pick([...slashes.slice(1), path.length]) : 1 + random.below(target.length)
  return target.slice(0, at) + what + target.slice(at)
}
