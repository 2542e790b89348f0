// The gateway's own token from a real token endpoint, on a clock that the test sets.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { OwnToken } from '../../src/proxy/own-token.ts'
import { until } from './support/pass-through.ts'

const CREDENTIALS = { clientId: 'gate way', clientSecret: 's:e&c', scope: 'system/*.rs' }

let server: Server
let url: string
let asked: { readonly authorization: string | undefined; readonly body: string }[] = []
let answer: (response: ServerResponse, nth: number) => void
beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body })
      answer(response, asked.length)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

let clock: { now: number }
let problems: (string | undefined)[]
let token: OwnToken
beforeEach(() => {
  asked = []
  problems = []
  clock = { now: 1_000 }
  answer = (response, nth) => json(response, { access_token: `token-${nth}`, token_type: 'Bearer', expires_in: 600 })
  token = new OwnToken({ ...CREDENTIALS, url }, { now: () => clock.now, onFetch: (each) => problems.push(each) })
})
afterEach(() => token.close())

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function got(): Promise<string> {
  const value = await token.get()
  return isRefusal(value) ? `${value.status} ${value.code}` : value
}

test('asks as RFC 6749 says: form-encoded Basic, grant type and scope in a form', async () => {
  expect(await got()).toBe('token-1')
  expect(asked).toEqual([
    {
      authorization: `Basic ${Buffer.from('gate+way:s%3Ae%26c').toString('base64')}`,
      body: 'grant_type=client_credentials&scope=system%2F*.rs',
    },
  ])
})

test('many who ask at once are one fetch', async () => {
  expect(new Set(await Promise.all(Array.from({ length: 50 }, got)))).toEqual(new Set(['token-1']))
  expect(asked).toHaveLength(1)
})

test('is kept, then fetched anew behind requests, and never used beyond its end', async () => {
  await got()
  clock.now += 500_000
  expect(token.get()).toBe('token-1')
  clock.now += 60_000
  expect(token.get()).toBe('token-1')
  await until(() => asked.length === 2 && problems.length === 2)
  expect(token.get()).toBe('token-2')
  answer = (response) => response.writeHead(500).end()
  clock.now += 590_000
  expect(await got()).toBe('503 issuer-unavailable')
})

test('the issuer down: the token that is there counts on, and the issuer is asked once a while', async () => {
  await got()
  answer = (response) => response.writeHead(500).end('secret detail')
  clock.now += 560_000
  for (let i = 0; i < 5; i++) expect(token.get()).toBe('token-1')
  await until(() => problems.length === 2)
  for (let i = 0; i < 5; i++) expect(token.get()).toBe('token-1')
  expect(asked).toHaveLength(2)
  expect(problems).toEqual([undefined, 'the token endpoint answered 500'])
})

test('no token: nothing is asked for a while after a fetch that failed', async () => {
  answer = (response) => response.writeHead(401).end()
  expect(await got()).toBe('503 issuer-unavailable')
  for (let i = 0; i < 5; i++) expect(await got()).toBe('503 issuer-unavailable')
  expect(asked).toHaveLength(1)
  clock.now += 2_000
  answer = (response) => json(response, { access_token: 'a', token_type: 'bearer' })
  expect(await got()).toBe('a')
})

test('a 401 of the upstream is worth a new token, once in a cooldown, and only for the token that it was about', async () => {
  await got()
  token.refused('another')
  expect(token.get()).toBe('token-1')
  token.refused('token-1')
  expect(await got()).toBe('token-2')
  token.refused('token-2')
  expect(token.get()).toBe('token-2')
  clock.now += 30_000
  token.refused('token-2')
  expect(await got()).toBe('token-3')
})

describe('is no token', () => {
  test.each<[string, (response: ServerResponse) => unknown]>([
    ['an error', (response) => response.writeHead(400).end('{"access_token":"a","token_type":"Bearer"}')],
    ['a redirect', (response) => response.writeHead(307, { location: url }).end()],
    ['what is not JSON', (response) => response.end('token')],
    ['a list', (response) => response.end('[]')],
    ['another type', (response) => json(response, { access_token: 'a', token_type: 'mac' })],
    ['without a type', (response) => json(response, { access_token: 'a' })],
    [
      'one that cannot stand in a header',
      (response) => json(response, { access_token: 'a\r\nb: c', token_type: 'Bearer' }),
    ],
    ['one that is expired', (response) => json(response, { access_token: 'a', token_type: 'Bearer', expires_in: 0 })],
    ['one too long', (response) => json(response, { access_token: 'a'.repeat(20_000), token_type: 'Bearer' })],
    [
      'an answer too long',
      (response) => json(response, { access_token: 'a', token_type: 'Bearer', x: 'x'.repeat(1e6) }),
    ],
    [
      'an end too soon',
      (response) => response.writeHead(200, { 'content-length': '99' }).write('{') && response.destroy(),
    ],
  ])('%s', async (_, misbehave) => {
    answer = misbehave
    expect(await got()).toBe('503 issuer-unavailable')
    expect(problems).toHaveLength(1)
    expect(problems[0]).toBeDefined()
    expect(problems[0]).not.toMatch(/127\.0\.0\.1|s:e&c/)
  })

  test('who is away', async () => {
    await token.close()
    token = new OwnToken(
      { ...CREDENTIALS, url: 'http://127.0.0.1:1/token' },
      { onFetch: (each) => problems.push(each) },
    )
    expect(await got()).toBe('503 issuer-unavailable')
    expect(problems).toEqual(['the token endpoint cannot be asked (ECONNREFUSED)'])
  })
})
