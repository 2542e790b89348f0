// The requests of k6/ are sent by Node to the same demo that k6 meets, so that they keep in step with the gateway where there is no k6.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoKeys, makeDemoKeys, type WantedKey } from '../scripts/k6/demo-keys.ts'
import { addressesOf, startDemo } from '../scripts/k6/demo-process.ts'
import { readWords } from '../scripts/k6/words.ts'
import { REFUSALS } from '../src/domain/refusal.ts'
import { freeShift } from './support/demo-ports.ts'

interface Answer {
  readonly status: number
  readonly header: (name: string) => string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  readonly json: any
}

interface Request {
  readonly kind: string
  readonly name: string
  readonly as?: string
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly status: number
  readonly checks: Record<string, (answer: Answer) => boolean>
}

type Send = (request: Request) => Promise<Answer>
type Journey = (send: Send, gateway: string) => Promise<void>

/** The scenarios are JavaScript that k6 runs as it is: no types to import. */
const load = (file: string) => import(new URL(`../k6/lib/${file}`, import.meta.url).href)
const { requestsTo } = (await load('requests.js')) as { requestsTo: (gateway: string) => Request[] }
const { followPages, writeAndDelete, pushBundle } = (await load('journeys.js')) as Record<string, Journey>
const { CREDENTIALS, KEYS, tokenForm } = (await load('credentials.js')) as {
  CREDENTIALS: Record<string, object>
  KEYS: Record<string, WantedKey>
  tokenForm: (credential: object) => Record<string, string>
}

const SHIFT = await freeShift()
const { gateway, issuer } = addressesOf(SHIFT)
const credentials: Record<string, Record<string, string>> = {}
let keys: DemoKeys | undefined
let stopDemo: (() => Promise<void>) | undefined

beforeAll(async () => {
  keys = await makeDemoKeys(Object.values(KEYS))
  stopDemo = await startDemo(SHIFT, keys.file)
  for (const [name, credential] of Object.entries(CREDENTIALS)) {
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(tokenForm(credential)) })
    const { access_token } = (await answer.json()) as { access_token: string }
    credentials[name] = { authorization: `Bearer ${access_token}` }
  }
  for (const [name, { secret }] of Object.entries(KEYS)) credentials[name] = { 'x-api-key': keys.env[secret]! }
  credentials['forged'] = { authorization: `${credentials['reader']!['authorization']!.slice(0, -8)}AAAAAAAA` }
  credentials['forgedKey'] = { 'x-api-key': `sgk_${'A'.repeat(43)}` }
  credentials['both'] = { ...credentials['reader'], ...credentials['forgedKey'] }
}, 60_000)

afterAll(async () => {
  await stopDemo?.()
  await keys?.remove()
})

/** Fails with the name of each condition that does not hold. */
const send: Send = async ({ name, as, method, path, headers, body, status, checks }) => {
  if (as !== undefined) expect(credentials, `${name} is sent as`).toHaveProperty(as)
  const response = await fetch(`${gateway}${path}`, {
    method,
    headers: { ...headers, ...(as === undefined ? {} : credentials[as]) },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
  })
  const text = await response.text()
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '')
  const answer: Answer = {
    status: response.status,
    header: (field) => response.headers.get(field) ?? undefined,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
  const failed = Object.entries(checks).flatMap(([condition, holds]) => (holds(answer) ? [] : [condition]))
  expect({ name, status: answer.status, failed }).toEqual({ name, status, failed: [] })
  return answer
}

test.each(requestsTo(gateway).map((request) => [request.name, request] as const))('%s', async (_, request) => {
  await send(request)
})

test.each([
  ['pages', followPages!, 3],
  ['writes', writeAndDelete!, 5],
  ['bundles', pushBundle!, 2],
] as const)('the journey of %s', async (_, journey, requests) => {
  let sent = 0
  await journey((request) => {
    sent++
    return send(request)
  }, gateway)
  expect(sent).toBeGreaterThanOrEqual(requests)
})

test('names are unique, for they name measurements and checks', () => {
  const names = requestsTo(gateway).map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('each refusal has the status that its code has', () => {
  for (const { name, kind, status, checks } of requestsTo(gateway)) {
    if (kind !== 'refusal') continue
    const code = Object.keys(checks).flatMap((text) => /says ([a-z-]+)$/.exec(text)?.[1] ?? [])[0]
    expect(code, name).toBeDefined()
    expect([name, status]).toEqual([name, REFUSALS[code as keyof typeof REFUSALS].status])
  }
})

test.each([
  [['smoke'], { scenario: 'smoke', ports: 0, rest: [] }],
  [['steady', '--ports', '20', '-e', 'RATE=5'], { scenario: 'steady', ports: 20, rest: ['-e', 'RATE=5'] }],
  [['steady', '--quiet', '--ports=20'], { scenario: 'steady', ports: 20, rest: ['--quiet'] }],
])('words %j', (words, read) => {
  expect(readWords(words, ['smoke', 'steady'])).toEqual(read)
})

test.each([[[]], [['soak']], [['--ports', '1']], [['smoke', '--ports']], [['smoke', '--ports', '-1']]])(
  'words %j are answered with the usage',
  (words) => {
    expect(readWords(words, ['smoke', 'steady'])).toEqual({
      usage: expect.stringContaining('npm run k6 -- smoke|steady'),
    })
  },
)
