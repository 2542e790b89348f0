// The gateway's own pages over real sockets: what is served, under which headers, and to whom.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fhirMap, type Rig, startRig } from '../../support/rig.ts'

let rig: Rig

const SCOPES = `
scopes:
  "<b>Odd & names</b>":
    "a'b&c<script>": { description: "<img src=x onerror=alert(1)> & 'so on'", products: ["\\"><svg onload=alert(1)>"] }
  Apps:
    patient/Observation.read: { description: Observations., credentials: [smart], products: [Nexus] }
    keyed: { description: For keys., credentials: [api-key], selfService: true }
`

beforeAll(async () => {
  rig = await startRig({
    map: (at) =>
      fhirMap()(at).replace(
        /^routes:/m,
        () => `${SCOPES}\nroutes:\n  - { name: any, upstream: store, match: { "GET /*": public } }`,
      ),
  })
})

afterAll(() => rig.close())

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { 'content-type': 'application/json' }
const SECRET = 'patient/Observation.rs?category=private-matter'

test('the page has every scope, escaped, and needs neither script nor credential', async () => {
  const { status, headers, text } = await rig.ask('GET /scopes/')
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect(text).toContain('Observations.')
  expect(text).toContain('id="patient/Observation.read"')
  expect(text).toContain('href="#patient/Observation.read"')
  expect(text).toContain('&lt;b&gt;Odd &amp; names&lt;/b&gt;')
  expect(text).toContain('id="a&#39;b&amp;c&lt;script&gt;"')
  expect(text).not.toMatch(/<img|<svg onload|<script>|<b>Odd/)
  expect(text.match(/<script[^>]*>/g)).toEqual(['<script src="theme.js">', '<script type="module" src="reference.js">'])
  expect(text).not.toMatch(/ style="| on[a-z]+="|https?:\/\/(?!api\.example\.org)/)
})

test.each([
  '/scopes/',
  '/scopes/matrix',
  '/scopes/page.css',
  '/scopes/theme.js',
  '/scopes/search.js',
  '/scopes/icon.svg',
  '/scopes',
])('%s goes out under strict headers', async (path) => {
  const { headers } = await rig.ask(`GET ${path}`)
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  )
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
  })
  expect(headers).not.toHaveProperty('access-control-allow-origin')
})

test.each(['/scopes/', '/scopes.json', '/scopes/page.css', '/scopes/reference.js'])(
  '%s can be kept and asked about again',
  async (path) => {
    const first = await rig.ask(`GET ${path}`)
    const { etag } = first.headers
    expect(first.headers['cache-control']).toBe('no-cache')
    expect(etag).toMatch(/^"[\w-]{20,}"$/)
    const again = await rig.ask(`GET ${path}`, { headers: { 'if-none-match': `W/${etag}` } })
    expect(again).toMatchObject({ status: 304, text: '' })
    const head = await rig.ask(`HEAD ${path}`)
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers['content-length']).toBe(String(first.bytes.length))
  },
)

test('without its slash the page is found below whatever prefix clients use', async () => {
  expect(await rig.ask('GET /scopes')).toMatchObject({ status: 308, headers: { location: 'scopes/' } })
})

test('no route of the map stands in the place of the pages, and nothing of them goes upstream', async () => {
  const before = rig.upstream.arrived.length
  expect((await rig.ask('GET /scopes/')).text).toContain('Scope Reference')
  expect((await rig.ask('GET /scopes.json')).json.totals.scopes).toBe(3)
  expect(rig.upstream.arrived.length).toBe(before)
})

test('the reference for programs, open to every origin', async () => {
  const { headers, json } = await rig.ask('GET /scopes.json', { headers: { origin: 'https://app.example.org' } })
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(json).toMatchObject({
    publicUrl: 'https://api.example.org',
    totals: { scopes: 3, categories: 2, smart: 1, selfService: 1 },
  })
  expect(json.categories[1].scopes[0].endpoints).toEqual([
    { method: 'GET', path: '/fhir/R4/Observation', limits: ['patient'], with: [] },
    { method: 'GET', path: '/fhir/R4/Observation/{id}', limits: ['patient'], with: [] },
  ])
})

test.each([
  ['POST /scopes/', 'GET, HEAD'],
  ['DELETE /scopes/page.css', 'GET, HEAD'],
  ['POST /scopes.json', 'GET, HEAD, OPTIONS'],
  ['PUT /scopes/matrix', 'GET, HEAD, POST'],
  ['GET /scopes/matrix.json', 'POST'],
  ['OPTIONS /scopes/matrix.json', 'POST'],
])('%s is refused', async (line, allow) => {
  const answer = await rig.ask(line)
  expect(answer).toMatchObject({ status: 405, json: { code: 'interaction-unknown' }, headers: { allow } })
})

describe('the access matrix', () => {
  test('as a page, by a plain form', async () => {
    const body = new URLSearchParams({ scope: 'patient/Observation.rs keyed', credential: 'bearer', patient: 'yes' })
    const { status, headers, text } = await rig.ask('POST /scopes/matrix', { headers: FORM, body: body.toString() })
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    expect(text).toContain('1 scope grants access, 1 grants nothing.')
    expect(text).toContain('<code>keyed</code></dt><dd>This kind of credential cannot carry it. These can: API keys.')
    expect(text).toMatch(/<th scope="row">Observation<\/th>/)
    expect(text).toContain('patient/Observation.rs keyed</textarea>')
  })

  test('as JSON', async () => {
    const body = { scope: 'patient/Observation.rs', credential: 'bearer', patient: true }
    const { json } = await rig.ask('POST /scopes/matrix.json', { headers: JSON_TYPE, body })
    const none = { access: 'none', limits: [] }
    const limited = { access: 'limited', limits: ['patient'] }
    expect(json).toEqual({
      routes: [
        {
          path: '/fhir/R4',
          version: 'R4',
          rows: [{ types: ['Observation'], cells: [none, limited, none, none, limited] }],
        },
      ],
      endpoints: [],
      silent: [],
      mended: {},
    })
  })

  test('the misprints of the US Core table are read as meant, for tokens', async () => {
    const meant =
      'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern'
    const ask = async (credential: string) =>
      (
        await rig.ask('POST /scopes/matrix.json', {
          headers: JSON_TYPE,
          body: { scope: `${meant}\``, credential, patient: true },
        })
      ).json
    expect((await ask('bearer')).mended).toEqual({ [`${meant}\``]: meant })
    expect((await ask('api-key')).mended).toEqual({})
  })

  test('what is pasted is escaped on the page and never in the log', async () => {
    const scope = `${SECRET} </textarea><script>alert(1)</script>`
    const body = new URLSearchParams({ scope }).toString()
    const { text } = await rig.ask('POST /scopes/matrix', { headers: FORM, body })
    expect(text).toContain('&lt;/textarea&gt;&lt;script&gt;')
    expect(text.match(/<script/g)).toHaveLength(2)
    await rig.ask('POST /scopes/matrix.json', { headers: JSON_TYPE, body: { scope } })
    await rig.ask('POST /scopes/matrix.json', { headers: JSON_TYPE, body: { scope, other: SECRET } })
    expect(rig.log()).toContain('"method":"POST"')
    expect(rig.log()).not.toContain('private-matter')
  })

  test.each<[string, Record<string, string>, string | object, number, string]>([
    ['matrix', JSON_TYPE, '{}', 415, 'body-invalid'],
    ['matrix.json', FORM, 'scope=a', 415, 'body-invalid'],
    ['matrix.json', JSON_TYPE, '{', 400, 'body-invalid'],
    ['matrix.json', JSON_TYPE, '[]', 400, 'body-invalid'],
    ['matrix.json', JSON_TYPE, {}, 400, 'body-invalid'],
    ['matrix.json', JSON_TYPE, { scope: 'a', patient: 'yes' }, 400, 'body-invalid'],
    ['matrix.json', JSON_TYPE, { scope: 'a', credential: 'cookie' }, 400, 'body-invalid'],
    ['matrix.json', JSON_TYPE, { scope: 'a', scopes: 'b' }, 400, 'body-invalid'],
    [
      'matrix.json',
      JSON_TYPE,
      { scope: Array.from({ length: 201 }, (_, i) => `s${i}`).join(' ') },
      400,
      'body-invalid',
    ],
    ['matrix.json', JSON_TYPE, Buffer.from([0x22, 0xff, 0x22]), 400, 'body-invalid'],
    ['matrix', FORM, 'scope=%zz', 400, 'body-invalid'],
    ['matrix', FORM, 'scope=a&other=b', 400, 'body-invalid'],
    ['matrix', FORM, `scope=${'x'.repeat(40_000)}`, 413, 'body-too-large'],
    ['matrix', { ...FORM, 'content-encoding': 'gzip' }, 'scope=a', 400, 'body-invalid'],
    ['matrix', { ...FORM, 'sec-fetch-site': 'cross-site' }, 'scope=a', 403, 'header-ambiguous'],
    ['matrix', { ...FORM, 'sec-fetch-site': 'same-site' }, 'scope=a', 403, 'header-ambiguous'],
    ['matrix', { ...FORM, origin: 'https://evil.example' }, 'scope=a', 403, 'header-ambiguous'],
    ['matrix', { ...FORM, origin: 'null' }, 'scope=a', 403, 'header-ambiguous'],
  ])('%s with %j and %j is refused', async (path, headers, body, status, code) => {
    const answer = await rig.ask(`POST /scopes/${path}`, { headers, body })
    expect(answer).toMatchObject({ status, json: { code } })
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
  })

  test('from the page itself', async () => {
    const headers = { ...FORM, 'sec-fetch-site': 'same-origin', origin: 'https://api.example.org' }
    expect(await rig.ask('POST /scopes/matrix', { headers, body: 'scope=a' })).toMatchObject({ status: 200 })
    const local = { ...FORM, origin: `http://127.0.0.1:${rig.port}` }
    expect(await rig.ask('POST /scopes/matrix', { headers: local, body: 'scope=a' })).toMatchObject({ status: 200 })
  })

  test('as many scopes as it takes', async () => {
    const ask = (scopes: string[]) =>
      rig.ask('POST /scopes/matrix.json', { headers: JSON_TYPE, body: { scope: scopes.join(' '), patient: true } })
    const named = Array.from({ length: 180 }, (_, i) => `patient/Observation.rs?category=c${i}`)
    const wild = Array.from({ length: 21 }, (_, i) => `patient/*.rs?category=c${i}`)
    const { status, json } = await ask([...named, ...wild.slice(1)])
    expect(status).toBe(200)
    expect(json.silent).toEqual([])
    expect(await ask(wild)).toMatchObject({ status: 400, json: { code: 'body-invalid' } })
    expect(await ask([...named, ...named.map((scope) => `${scope}x`)])).toMatchObject({ status: 400 })
  })
})
