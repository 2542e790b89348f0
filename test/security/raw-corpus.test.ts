// Some hundred requests that are none, or could be read in two ways, as bare bytes: with a credential that may do everything and without
// one, in one piece and followed by the end of the stream. Each is answered with 4xx and nothing else, and not a byte arrives upstream.
// One rule at a time is in the files of docs/parser-border.md; this is the broad sweep, for what no rule was written for.

import { connect } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'

const border = useBorder('timeouts: { header: 300ms, idle: 1s, request: 500ms }')

const SMUGGLED = 'GET /app/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const CREDENTIAL = '{credential}'
const READ = 'GET /app/x HTTP/1.1'
const WRITE = 'POST /app/x HTTP/1.1'
const CHUNKED = 'Transfer-Encoding: chunked'

/** Cut at `¦`, and at the line that follows it. */
const each = (text: string): string[] => text.split(/ ¦(?:\n +| )/)

const withFields = (line: string, fields: readonly string[], body = ''): string =>
  `${[line, ...fields, CREDENTIAL].join('\r\n')}\r\n\r\n${body}`
const ask = (line: string, fields: readonly string[] = [], body = ''): string =>
  withFields(line, ['Host: client.test', 'Connection: close', ...fields], body)
const versions = (...all: string[]): string[] => all.map((version) => ask(`GET /app/x ${version}`))
const methods = (...all: string[]): string[] => all.map((method) => ask(`${method} /app/x HTTP/1.1`))
const targets = (...all: string[]): string[] => all.map((target) => ask(`GET ${target} HTTP/1.1`))
const segments = (...all: string[]): string[] =>
  all.flatMap((segment) => targets(`/app/public/${segment}`, `/app/${segment}/x`, `/fhir/R4/${segment}/Patient/p1`))
const queries = (...all: string[]): string[] =>
  all.flatMap((query) => targets(`/app/x?${query}`, `/fhir/R4/Patient?${query}`))
const hosts = (...all: string[]): string[] =>
  all.map((host) => withFields(READ, ['Connection: close', ...(host === '' ? [] : [host])]))
const fields = (...all: string[]): string[] => all.map((field) => ask(READ, [field]))
const lengths = (...all: string[]): string[] =>
  all.map((length) => ask(WRITE, [`Content-Length: ${length}`], `hello${SMUGGLED}`))
const codings = (...all: string[]): string[] =>
  all.map((coding) => ask(WRITE, [`Transfer-Encoding:${coding}`], `0\r\n\r\n${SMUGGLED}`))
const chunks = (...all: string[]): string[] => all.map((body) => ask(WRITE, [CHUNKED], body))
const forms = (...all: [type: string, body: string][]): string[] =>
  all.map(([type, body]) => resource('POST /fhir/R4/Patient/_search HTTP/1.1', type, body))
const resource = (line: string, type: string, body: string): string =>
  ask(line, [`Content-Type: ${type}`, `Content-Length: ${body.length}`], body)
const times = (text: string, count: number): string => text.repeat(count)
const FORM = 'application/x-www-form-urlencoded'
const FHIR = 'application/fhir+json'
const CREATE = 'POST /fhir/R4/Patient HTTP/1.1'
const PATIENT = '{"resourceType":"Patient"}'

const CORPUS: Readonly<Record<string, readonly string[]>> = {
  'other versions': [
    ...versions('HTTP/0.9', 'HTTP/1.2', 'HTTP/1.10', 'HTTP/01.1', 'HTTP/1.', 'HTTP/.1', 'HTTP/1', 'HTTP/2', 'HTTP/2.0'),
    ...versions('HTTP/3.0', 'HTTP/9.9', 'HTTP/-1.1', 'HTTP/1,1', 'HTTP\\1.1', 'HTTP /1.1', 'HTTP/1.1x', 'HTTP/1.1 x'),
    ...versions('HTTP/1.1\t', 'HTTP/1.1\0', 'http/1.1', 'HTTQ/1.1', 'ICE/1.0', 'SIP/2.0', '', 'HTTP/1.1 HTTP/1.1'),
    'GET /app/x\r\n\r\n',
    'GET /app/x\r\nHost: x\r\n\r\n',
  ],
  'other methods': [
    ...methods(...each(`get ¦ Get ¦ GETT ¦ GE T ¦ G\0ET ¦ GET\t ¦ GET, ¦ GET/ ¦ "GET" ¦  GET ¦ \tGET ¦  ¦ FOO ¦ PRI`)),
    ...methods(
      ...each(`\xff ¦ GET\x0b ¦ CONNECT ¦ TRACE ¦ PROPFIND ¦ PURGE ¦ SEARCH ¦ QUERY ¦ M-SEARCH ¦ LINK ¦ MKCOL`),
    ),
    ...methods('COPY', 'MOVE', 'LOCK', 'SOURCE', 'REPORT', 'ACL', 'SUBSCRIBE', 'MERGE', times('X', 9_000)),
    ask('CONNECT evil.test:443 HTTP/1.1', [], SMUGGLED),
    ...['TRACE', 'SEARCH', 'PURGE'].map((method) => ask(`${method} /fhir/R4/Patient/p1 HTTP/1.1`)),
  ],
  'broken lines': [
    `${READ}\nHost: x\n\n`,
    `${READ}\rHost: x\r\r`,
    `${READ}\r\r\nHost: x\r\n\r\n`,
    `${READ}\r\nHost: x\nX-A: b\r\n\r\n`,
    'GET\t/app/x\tHTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /app/x y HTTP/1.1\r\nHost: x\r\n\r\n',
    ...['\0', '\xef\xbb\xbf', ' ', '\t', 'X\r\n', '\x80'].map((before) => before + ask(READ)),
  ],
  'other protocols': [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
    '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d',
    `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${times('a', 200)}`,
    '\x80\x2e\x01\x03\x01',
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${ask(READ)}`,
    `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c${times('\0', 12)}${ask(READ)}`,
    'EHLO x\r\n',
    'SSH-2.0-x\r\n',
    '*1\r\n$4\r\nPING\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    '{"a":1}\r\n\r\n',
    '\0',
    '\xff\xfe',
  ],
  'targets that are no path': targets(
    ...each(`* ¦  ¦ / ¦ // ¦ /// ¦ //app/x ¦ /app//x ¦ /app/x// ¦ //evil.test/app/x ¦ http://evil.test/app/x ¦ app/x`),
    ...each(
      `HTTP://x/app/x ¦ ftp://x/y ¦ ?/app/x ¦ /app/../x ¦ /app/.. ¦ /app/. ¦ /app/x#f ¦ /app/x# ¦ /app/x?a#b ¦ #`,
    ),
    ...each(`/APP/x ¦ /appx ¦ /app%2fx ¦ /fhir/r4/Patient/p1 ¦ /fhir/R4Patient ¦ /fhir/R4/metadata/.. ¦
      /fhir/R4/_page/x`),
    ...each(`/fhir/R4/Patient//p1 ¦ /fhir/R4/patient/p1 ¦ /fhir/R4/Patient%20/p1 ¦ /fhir/R4/__proto__/p1 ¦ /% ¦ /%2 ¦
      /\0`),
    ...[
      `/fhir/R4/Patient/${times('a', 65)}`,
      `/${times('a', 9_000)}`,
      `/app/${times('a/', 4_500)}`,
      '/fhir/R4/Patient/a_b',
    ],
  ),
  'segments that another server reads as something else': segments(
    ...each(`.. ¦ . ¦ %2e ¦ %2e%2e ¦ %2E%2E ¦ .%2e ¦ %252e%252e ¦ %2f ¦ %5c ¦ \\ ¦ ..\\ ¦ ..; ¦ ..;x=1 ¦ ; ¦ x;y=1`),
    ...each(
      `%3b ¦ %23 ¦ %3f ¦ %25 ¦ %00 ¦ %0a ¦ %0d%0a ¦ %7f ¦ %ff ¦ %c0%ae ¦ %c0%af ¦ %e0%80%af ¦ %f0%80%80%af ¦ %80`,
    ),
    ...each(`%ed%a0%80 ¦ %f4%90%80%80 ¦ %c3 ¦ %c3%28 ¦ % ¦ %2 ¦ %zz ¦ %u002e ¦ %%32%65 ¦ %2%65 ¦ ..%2f ¦ ..%5c ¦
      ....//`),
    ...['{x}', '|', '^', '`', '"', '<', '[x]', '\x7f', '\xe9', '\xc3\xa9', '\x01', '\t', '#', '..%00'],
  ),
  'queries that hide something': queries(
    ...each(`a=%zz ¦ a=% ¦ a=%2 ¦ a=%00 ¦ %00 ¦ a=%ff ¦ a=%c0%af ¦ a=%ed%a0%80 ¦ a=\xe9 ¦ a=\\ ¦ a=" ¦ a=< ¦ a=[ ¦
      a=\x7f`),
    ...each(`a\0 ¦ _method=DELETE ¦ %5Fmethod=DELETE ¦ _METHOD=PUT ¦ x-http-method-override=PUT ¦
      X_HTTP_METHOD_OVERRIDE=PUT`),
    ...['_httpMethod=DELETE', 'access_token=x', '%61ccess_token=x', 'access_token', times('a=1&', 250)],
  ),
  hosts: hosts(
    '',
    ...each(`Host: ¦ Host:    ¦ Host: a b ¦ Host: user@a ¦ Host: u:p@a ¦ Host: a:80:80 ¦ Host: a:x ¦ Host: a:-1 ¦
      Host: a:123456`),
    ...each(`Host: a,b ¦ Host: a, b ¦ Host: http://a ¦ Host: a/b ¦ Host: a?b ¦ Host: a#b ¦ Host: a\\b ¦ Host: [::1 ¦
      Host: ::1]`),
    ...each(`Host: [::1]x ¦ Host: [zz] ¦ Host: [] ¦ Host: [1.2.3.4] ¦ Host: :80 ¦ Host: \xe9 ¦ Host: a%2e ¦ Host: a"b ¦
      Host: a;b`),
    ...['Host: a\r\nHost: b', 'Host: a\r\nHost: a', 'Host: a\r\nhost: a', 'Host : a', 'Host: a\r\n b', 'Host: a\tb'],
  ),
  'fields out of form': fields(
    ...each(`X-A : b ¦ X A: b ¦  X-A: b ¦ \tX-A: b ¦ : b ¦ X-A ¦ X-A\0: b ¦ X-A: a\0b ¦ X-A: a\rb ¦ X-A: a\nb ¦
      X-A: a\r\n b`),
    ...each(`X-A: a\r\n\tb ¦ X\xe9: b ¦ X-A: \xe9 ¦ X(A): b ¦ X"A: b ¦ X/A: b ¦ X[A]: b ¦ X@A: b ¦ X,A: b ¦ X;A: b ¦
      X\\A: b`),
    ...[
      'X-A: \x01',
      'X-A: \x7f',
      'X-A: \x0b',
      '\r',
      '{"a": 1}',
      '<x>: y',
      `X-A: ${times('v', 16_384)}`,
      `${times('X', 17_000)}: v`,
    ],
    ...[times('a:\r\n', 2_000), Array.from({ length: 120 }, (_, i) => `X-${i}: 1`).join('\r\n')],
  ),
  'fields that pose as others, or stand twice': fields(
    ...each(`X_User: root ¦ X.User: root ¦ X~User: root ¦ X_Auth_Subject: root ¦ X-Auth_Subject: root ¦
      X.Auth.Subject: root`),
    ...each(`X_Forwarded_For: 1 ¦ X_API_KEY: x ¦ Content_Length: 5 ¦ Transfer_Encoding: chunked ¦
      Proxy_Authorization: x`),
    ...['X_HTTP_Method_Override: PUT', 'X_Original_URL: /x', 'Expect: 200-ok', 'Expect: 100-continue, x', 'Expect:'],
    ...['Content-Type: a/b\r\nContent-Type: c/d', 'Range: bytes=0-1\r\nRange: bytes=2-3', 'Origin: a\r\nOrigin: b'],
    ...[
      'Authorization: Bearer x\r\nAuthorization: Bearer y',
      'Authorization: Bearer x, Basic eA==',
      'X-API-Key: a\r\nX-API-Key: b',
    ],
    ...each(`Connection: authorization ¦ Connection: close, host ¦ Connection: content-length ¦ Connection: if-match ¦
      Connection: cookie`),
  ),
  lengths: [
    ...lengths(
      ...each(`+5 ¦ -5 ¦ -0 ¦ 0x5 ¦ 5,5 ¦ 5, 5 ¦ 5;5 ¦ 5.0 ¦ 5e0 ¦  ¦    ¦  5 5 ¦ 5\t5 ¦ 1_0 ¦ "5" ¦ 5\x0b ¦ five`),
    ),
    ...lengths(
      ...each(`0,0 ¦ NaN ¦ 99999999999999999999 ¦ 18446744073709551616 ¦ 18446744073709551615 ¦ 9007199254740993`),
    ),
    ...lengths('5\r\nContent-Length: 5', '5\r\nContent-Length: 6', '5\r\ncontent-length: 5', '999999999999'),
    ask(WRITE, ['Content-Length : 5'], 'hello'),
    ...['GET', 'HEAD'].map((method) => ask(`${method} /app/x HTTP/1.1`, ['Content-Length: 5'], 'hello')),
    ...['GET', 'HEAD'].map((method) => ask(`${method} /app/x HTTP/1.1`, [CHUNKED], '5\r\nhello\r\n0\r\n\r\n')),
  ],
  codings: [
    ...codings(
      ...each(
        ` chunked, identity ¦  identity ¦  identity, chunked ¦  gzip, chunked ¦  chunked, chunked ¦  chunked;q=1`,
      ),
    ),
    ...codings(
      ...each(` xchunked ¦  chunkedx ¦  chunked, ¦  "chunked" ¦ \x0bchunked ¦  chunked\x0b ¦  ¦  trailers ¦  ,chunked`),
    ),
    ...codings(
      ' chunked\r\nTransfer-Encoding: chunked',
      ' identity\r\nTransfer-Encoding: chunked',
      '\r\n chunked',
      ' ch\0unked',
    ),
    ...codings(' chunked\r\nTransfer_Encoding: x', ' chunked\r\nContent-Length: 5', ' chunked\r\nContent-Length: 0'),
    ask(WRITE, ['Content-Length: 5', CHUNKED], `0\r\n\r\n${SMUGGLED}`),
    ask(WRITE, ['Transfer-Encoding : chunked'], '0\r\n\r\n'),
    withFields('POST /app/x HTTP/1.0', ['Host: x', CHUNKED], '0\r\n\r\n'),
  ],
  'bodies of FHIR requests': [
    ...forms(
      [`${FORM}; charset=utf-16`, 'name=x'],
      [FORM, 'a=%zz'],
      [FORM, 'a=%00'],
      [FORM, '_method=DELETE'],
      [FORM, 'a=\xff'],
    ),
    ...forms(
      [FHIR, '{}'],
      ['multipart/form-data; boundary=x', '--x--'],
      [FORM, 'access_token=x'],
      [FORM, times('a=1&', 300)],
    ),
    ...[
      '',
      '{',
      '[]',
      '{x}',
      `\xef\xbb\xbf${PATIENT}`,
      `\xff\xfe${PATIENT.split('').join('\0')}\0`,
      `${PATIENT}${PATIENT}`,
      `${PATIENT}\0`,
    ]
      .concat(
        `[${PATIENT}]`,
        '{"resourceType":"Observation","resourceType":"Patient"}',
        '{"resourceType":"Patient","a":"\xff"}',
      )
      .concat(
        `{"resourceType":"Patient","a":${times('[', 20_000)}${times(']', 20_000)}}`,
        '{"resourceType":"Observation"}',
      )
      .map((body) => resource(CREATE, FHIR, body)),
    ...['text/plain', FORM, `${FHIR}; charset=utf-16`, `${FHIR}, text/plain`, `${FHIR}\x0b`].map((type) =>
      resource(CREATE, type, PATIENT),
    ),
    resource(
      CREATE,
      'application/fhir+xml',
      '<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir">&a;</Patient>',
    ),
    ask(CREATE, [`Content-Type: ${FHIR}`, 'Content-Encoding: gzip', 'Content-Length: 3'], '\x1f\x8b\x08'),
    resource('POST /fhir/R4 HTTP/1.1', FHIR, '{"resourceType":"Bundle"'),
    resource('POST /fhir/R4 HTTP/1.1', FHIR, PATIENT),
    resource('POST /fhir/R4 HTTP/1.1', FHIR, '{"__proto__":{"resourceType":"Bundle"}}'),
  ],
  'requests that nobody finished': [
    'G',
    'GET /',
    READ,
    `${READ}\r\n`,
    `${READ}\r\nHost: x`,
    `${READ}\r\nHost: x\r\n\r`,
    'POST /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\n\r\nhello',
  ],
}

/** They begin upstream before it shows: what arrived there must never be whole. */
const BROKEN_CHUNKS = chunks(
  ...each(`5\nhello\n0\n\n ¦ 5\r\nhello\n0\r\n\r\n ¦ 5\r\nhelloX\r\n0\r\n\r\n ¦ 0x5\r\nhello\r\n0\r\n\r\n ¦
      +5\r\nhello\r\n0\r\n\r\n`),
  ...each(`-5\r\nhello\r\n0\r\n\r\n ¦  5\r\nhello\r\n0\r\n\r\n ¦ 5g\r\nhello\r\n0\r\n\r\n ¦ \r\n\r\n ¦ g\r\n ¦
      fffffffffffffffff\r\nx`),
  ...[
    '10000000000000000\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\n X: y\r\n\r\n',
    '5\r\nhello\r\n0\r\nX y\r\n\r\n',
    '5,5\r\nhello\r\n0\r\n\r\n',
  ],
  ...each(`5;a\nb\r\nhello\r\n0\r\n\r\n ¦ 5;\0\r\nhello\r\n0\r\n\r\n ¦ 5\rhello\r\n0\r\n\r\n ¦ 5\r\nhello0\r\n\r\n ¦
      5\t\r\nhello\r\n0\r\n\r\n`),
  ...[`5;${times('a', 20_000)}\r\nhello\r\n0\r\n\r\n`, '5\r\nhello\r\n0\r\nX\0: y\r\n\r\n'],
)

/** Sends, and says what is wrong with what came back; `ends` closes our half at once. */
function faultOf(bytes: string, ends: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const sent = Buffer.from(bytes, 'latin1')
    const socket = connect(border.port, '127.0.0.1', () => (ends ? socket.end(sent) : socket.write(sent)))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)
      const fine = statuses.length > 0 && statuses.every((status) => /^4/.test(status!))
      resolve(
        fine
          ? undefined
          : `${statuses.join(' ') || 'no answer'}: ${JSON.stringify(bytes.length < 999 ? bytes.slice(-160) : bytes.slice(0, 120))}`,
      )
    })
  })
}

async function faultsOf(rows: readonly string[], credential: string, ends: boolean): Promise<(string | undefined)[]> {
  const sent = rows.map((row) => row.replaceAll(CREDENTIAL, credential === '' ? 'X-None: 1' : credential))
  const faults: (string | undefined)[] = []
  for (let i = 0; i < sent.length; i += 16)
    faults.push(...(await Promise.all(sent.slice(i, i + 16).map((bytes) => faultOf(bytes, ends)))))
  return faults.filter((fault) => fault !== undefined)
}

// So that the token is remembered: what is refused for anything else is refused before the stream is over.
beforeAll(async () => {
  await border.send(ask(READ).replace(CREDENTIAL, border.authorization))
})

describe.each<[string, boolean]>([
  ['in one piece', false],
  ['and the end of the stream', true],
])('%s', (_, ends) => {
  test.each(Object.entries(CORPUS))('%s', async (_name, rows) => {
    expect(await faultsOf(rows, border.authorization, ends)).toEqual([])
    expect(await faultsOf(rows, '', ends)).toEqual([])
    expect(border.upstream.bytes()).toBe('')
  })
})

test('broken chunks', async () => {
  expect(await faultsOf(BROKEN_CHUNKS, border.authorization, false)).toEqual([])
  expect(await faultsOf(BROKEN_CHUNKS, '', false)).toEqual([])
  expect(border.upstream.requests).toEqual([])
})
