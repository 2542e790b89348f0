// An upstream whose answer ends in two places: the rest of it would answer the next request. It is a 502 or a broken connection, the
// upstream's connection serves nobody else, and the next request of the same client gets its own answer.

import { expect, test } from 'vitest'
import { readAnswers } from '../fuzz/judge.ts'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'
import { answerText } from '../support/wire-upstream.ts'

const border = useBorder()
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'

/** The answers to a request that gets `hostile`, and to one behind it on the same connection. */
async function answersTo(hostile: string, method = 'GET', ends = false): Promise<{ statuses: number[]; text: string }> {
  border.upstream.answer = ({ target }, socket) => {
    if (!target.includes('hostile')) return answerText(200, '{"next":1}')
    socket.write(Buffer.from(hostile, 'latin1'))
    if (ends) socket.end()
    return undefined
  }
  const first = requestText(`${method} /app/public/hostile`).replace('Connection: close\r\n', '')
  const { text } = await border.send(first + requestText('GET /app/public/next'))
  const { answers, rest } = readAnswers(text, [method, 'GET'])
  expect(rest).toBe('')
  return { statuses: answers.map(({ status }) => status), text }
}

test.each([
  ['a coding beside a length', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['a length beside a coding', 'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['two lengths', 'Content-Length: 2\r\nContent-Length: 8\r\n\r\nok'],
  ['two equal lengths', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
  ['a list of lengths', 'Content-Length: 2, 2\r\n\r\nok'],
  ['a length with zeros before it', 'Content-Length: 002\r\n\r\nok'],
  ['two kinds', 'Content-Type: text/html\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok'],
  ['a length with a sign', 'Content-Length: +2\r\n\r\nok'],
  ['a length beyond all numbers', 'Content-Length: 99999999999999999999\r\n\r\nok'],
  ['xchunked', 'Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['identity', 'Transfer-Encoding: identity\r\n\r\nok'],
  ['gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['chunked, gzip', 'Transfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['a folded field', 'X: a\r\n b\r\nContent-Length: 2\r\n\r\nok'],
  ['a blank before the colon', 'Content-Length : 2\r\n\r\nok'],
  ['a NUL in a value', 'X: a\0b\r\nContent-Length: 2\r\n\r\nok'],
  ['a bare CR in a value', 'X: a\rb\r\nContent-Length: 2\r\n\r\nok'],
  ['a bare LF', 'X: a\nContent-Length: 2\r\n\r\nok'],
  ['a field without a name', ': a\r\nContent-Length: 2\r\n\r\nok'],
  ['more fields than a connection bears', `X: ${'x'.repeat(70_000)}\r\nContent-Length: 2\r\n\r\nok`],
])('%s', async (_, rest) => {
  const { statuses, text } = await answersTo(`HTTP/1.1 200 OK\r\n${rest}${POISON}`)
  expect(statuses).toEqual([502, 200])
  expect(text).toContain('"code":"upstream-broken"')
  expect(text).not.toContain('poison')
})

test.each([
  ['a version of its own', 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['no version', 'ICY 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of words', 'HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status below all', 'HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['no HTTP', 'SSH-2.0-x\r\n'],
  ['nothing, and the end', ''],
])('%s', async (_, hostile) => {
  const { statuses, text } = await answersTo(hostile, 'GET', true)
  expect(statuses).toEqual([502, 200])
  expect(text).not.toContain('poison')
})

test.each<[string, string, string, number]>([
  ['an answer to HEAD', 'HEAD', `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`, 200],
  [
    'an answer to HEAD in chunks',
    'HEAD',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n`,
    200,
  ],
  ['a 204 with a length', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison', 204],
  [
    'a 204 in chunks',
    'GET',
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n',
    204,
  ],
  ['a 204 without either', 'GET', 'HTTP/1.1 204 No Content\r\n\r\npoison', 204],
  ['a 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison', 304],
  ['a second answer', 'GET', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${POISON}`, 200],
  ['ten more answers', 'GET', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${POISON.repeat(10)}`, 200],
])('%s with a body behind it', async (_, method, hostile, status) => {
  const { statuses, text } = await answersTo(hostile, method)
  expect(statuses).toEqual([status, 200])
  expect(text).not.toContain('poison')
  expect(text).toMatch(/\{"next":1\}$/)
  if (status === 204) expect(text.split('\r\n\r\n')[0]).not.toMatch(/content-length|transfer-encoding/i)
})

test.each<[string, string]>([
  ['a length that is too long', 'Content-Length: 20\r\n\r\nok'],
  ['chunks that do not end', 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'],
  ['a chunk that is too long', 'Transfer-Encoding: chunked\r\n\r\n20\r\nok'],
  ['chunks that are none', 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'],
])('%s: the client can tell that something is missing', async (_, rest) => {
  border.upstream.answer = (_request, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${rest}`)
    socket.end()
    return undefined
  }
  const { text, reset } = await border.send(requestText('GET /app/public/x'))
  const whole =
    /^HTTP\/1\.1 200 /.test(text) && !reset && (/0\r\n\r\n$/.test(text) || /content-length: 2\r\n/i.test(text))
  expect(whole, text).toBe(false)
})
