// Answers as bytes, from the honest one to the one that several readers would read in several ways.

import type { Random } from './seeded.ts'

const BODY = '{"nonce":"{nonce}","resourceType":"Patient","id":"p1"}'
const LENGTH = BODY.length
const SECOND = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Evil: 1\r\n\r\npoison'
const STATUS = [
  '200 OK',
  '200 OK',
  '200',
  '201 Created',
  '204 No Content',
  '304 Not Modified',
  '302 Found',
  '401 No',
  '404 Not Found',
  '500 Oops',
  '503 Busy',
  '100 Continue',
  '101 Switching Protocols',
  '103 Early Hints',
  '099 x',
  '999 x',
  '1000 x',
  'abc',
  '200 caf\xe9',
  '200 a\tb',
]
const FRAMING = [
  '',
  `Content-Length: ${LENGTH}`,
  `Content-Length: ${LENGTH}`,
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 500',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  `Content-Length: ${LENGTH}\r\nContent-Length: ${LENGTH}`,
  'Content-Length: 5\r\nContent-Length: 6',
  `Content-Length: ${LENGTH}\r\nTransfer-Encoding: chunked`,
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding : chunked',
]
const ODD_FIELDS = [
  'Connection: close',
  'Connection: X-Request-Id, X-Hop\r\nX-Hop: 1',
  'Connection: keep-alive\r\nKeep-Alive: timeout=600, max=1000',
  'Connection: upgrade\r\nUpgrade: h2c',
  'Content-Encoding: gzip',
  'Trailer: X-Evil',
  'Set-Cookie: a=b\r\nSet-Cookie: c=d',
  'X-Note: caf\xe9',
  'X-Note: a\0b',
  'X-Note: a\rb',
  'X-Note: a\nX-Evil: 1',
  'X-Note: a\r\n folded',
  'X Note: 1',
  ': 1',
  'noname',
  '__proto__: x',
  'X-Request-Id: other',
  'Location: http://evil.example/\r\nLocation: /x',
  'Date: x',
  `X-Long: ${'x'.repeat(70_000)}`,
  Array.from({ length: 500 }, (_, i) => `X-${i}: 1`).join('\r\n'),
]

export function makeAnswer(random: Random): string {
  const interim = random.chance(0.1)
    ? 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(random.pick([1, 2, 30, 2_000]))
    : ''
  const status = random.chance(0.5) ? '200 OK' : random.pick(STATUS)
  const framing = random.pick(FRAMING)
  const fields = [
    random.pick(['Content-Type: application/fhir+json', 'Content-Type: application/json', 'X-Nonce: {nonce}']),
  ]
  if (framing !== '') fields.push(framing)
  for (let left = random.pick([0, 0, 1, 2]); left > 0; left--)
    fields.splice(random.below(fields.length + 1), 0, random.pick(ODD_FIELDS))
  const version = random.chance(0.9) ? 'HTTP/1.1' : random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'ICY', 'http/1.1'])
  const end = random.chance(0.95) ? '\r\n' : random.pick(['\n', '\r'])
  const behind = random.chance(0.3) ? random.pick([SECOND, '\r\n', 'x', '\0', SECOND.repeat(3), '0\r\n\r\n']) : ''
  return `${interim}${version} ${status}${end}${fields.join(end)}${end}${end}${bodyOf(framing, random)}${behind}`
}

function bodyOf(framing: string, random: Random): string {
  if (random.chance(0.1)) return ''
  if (!/chunked/.test(framing)) return BODY
  const extension = random.chance(0.2) ? random.pick([';a', ';', ' ', '\t;b=c']) : ''
  const trailer = random.chance(0.2)
    ? random.pick(['X-Evil: 1\r\n', 'Set-Cookie: evil=1\r\n', 'Content-Length: 3\r\n', 'x\r\n'])
    : ''
  const last = random.chance(0.9)
    ? `0${extension}\r\n${trailer}\r\n`
    : random.pick(['', '0', '0\r\n', 'zz\r\n', '-1\r\n\r\n', 'ffffffffffffffffff\r\n'])
  const size = random.chance(0.9) ? BODY.length.toString(16) : random.pick(['1', 'ffff', '0x10', '+5', ' 5', ''])
  return `${size}${extension}\r\n${BODY}\r\n${last}`
}
