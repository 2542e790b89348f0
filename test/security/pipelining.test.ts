// Requests that are sent ahead on one connection: answered in order, begun one at a time, and nothing is read as a request that stands
// behind one whose end is in doubt (gateways' response queues were poisoned by less: Next.js GHSA-77r5-gw3j-2mpf).

import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'
import { answerText } from '../support/wire-upstream.ts'

const border = useBorder()
const open = (line: string, fields: readonly string[] = [], body = ''): string =>
  requestText(line, fields, body).replace('Connection: close\r\n', '')

test('each begins when the answer before it is out', async () => {
  const held: (() => void)[] = []
  border.upstream.answer = (request, socket) => {
    held.push(() => socket.write(answerText(200, JSON.stringify({ target: request.target }))))
    return undefined
  }
  const answers = border.send(
    [
      open('POST /app/1', [border.authorization, 'Content-Length: 3'], 'one'),
      open('GET /app/2', [border.authorization]),
      requestText('GET /app/public/3'),
    ].join(''),
  )
  for (const nth of [1, 2, 3]) {
    await until(() => held.length === nth)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(border.upstream.requests).toHaveLength(nth)
    held[nth - 1]!()
  }
  const { text } = await answers
  expect(text.match(/"target":"[^"]*"/g)).toEqual([
    '"target":"/base/app/1"',
    '"target":"/base/app/2"',
    '"target":"/base/app/public/3"',
  ])
})

test.each<[string, string]>([
  ['two Hosts', open('POST /app/x', ['Host: b', 'Content-Length: 0'])],
  ['a coding that is none', open('POST /app/x', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n')],
  ['a body on GET', open('GET /app/public/x', ['Content-Length: 2'], 'ok')],
  ['HTTP/1.0', 'GET /nowhere HTTP/1.0\r\n\r\n'],
  ['Connection: close', requestText('GET /nowhere')],
])('nothing behind %s is read', async (_, first) => {
  const { text } = await border.send(first + open('GET /app/public/second') + requestText('GET /app/public/third'))
  expect(text.match(/HTTP\/1\.1 \d{3} /g)).toHaveLength(1)
  expect(text).toMatch(/^HTTP\/1\.1 40[04] /)
  expect(border.upstream.bytes()).toBe('')
})

test('broken bytes behind whole requests: those are answered, then the bytes are, by a 400', async () => {
  const { text } = await border.send(`${open('GET /app/public/1')}${open('GET /app/public/2')}BROKEN\r\n\r\n`)
  expect(text.match(/HTTP\/1\.1 \d{3}(?= )|"code":"[a-z-]+"/g)).toEqual([
    'HTTP/1.1 200',
    'HTTP/1.1 200',
    'HTTP/1.1 400',
    '"code":"header-ambiguous"',
  ])
  expect(border.upstream.requests.map(({ target }) => target)).toEqual(['/base/app/public/1', '/base/app/public/2'])
})

test('a thousand at once take one place upstream, and all are answered in order', async () => {
  let most = 0
  let running = 0
  border.upstream.answer = ({ target }, socket) => {
    most = Math.max(most, ++running)
    setImmediate(() => {
      running--
      socket.write(answerText(200, JSON.stringify({ target })))
    })
    return undefined
  }
  const lines = Array.from({ length: 1_000 }, (_, i) => open(`GET /app/public/${i}`))
  const { text } = await border.send(lines.join('') + requestText('GET /app/public/end'))
  expect(text.match(/"target":"\/base\/app\/public\/\d+"/g)).toHaveLength(1_000)
  expect(text).toMatch(/public\/end"\}$/)
  expect(most).toBe(1)
})

test('who sends ahead without end is not read without end', async () => {
  border.upstream.answer = () => undefined
  const many = open('GET /app/public/x').repeat(2_000)
  let taken = 0
  const socket = connect(border.port, '127.0.0.1')
  socket.on('error', () => {})
  let stuck = false
  while (!stuck && taken < 200_000_000) {
    taken += many.length
    stuck = !socket.write(many) && !(await drained(socket))
  }
  socket.destroy()
  expect(stuck).toBe(true)
  expect(border.upstream.requests).toHaveLength(1)
})

/** Within a time in which loopback would have taken everything. */
function drained(socket: ReturnType<typeof connect>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 500)
    socket.once('drain', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
