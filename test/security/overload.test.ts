// A gateway that cannot take more: nobody gets in for that who would not otherwise, nobody without a credential takes a place from those
// who have one, and the admin port goes on answering.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
/** Ends what the upstream holds back. */
let release: () => void = () => {}
beforeAll(async () => {
  rig = await startRig({
    map: (at) =>
      fhirMap({ server: 'limits: { heldBodies: 1MiB, body: 1MiB }' })(at).replace(
        'timeout: 2s }',
        'timeout: 30s, connections: 2, queue: { perConnection: 1, timeout: 20s } }',
      ),
  })
})
afterAll(() => rig.close())
beforeEach(() => {
  rig.upstream.reset()
})

const TARGET = 'GET /fhir/R4/Patient/p1'

/** Every place at the upstream and in its queue is taken until `release`. */
async function fill() {
  const held: (() => void)[] = []
  rig.upstream.raw = (_request, response) => {
    held.push(() =>
      response.writeHead(200, { 'content-type': 'application/fhir+json' }).end('{"resourceType":"Patient","id":"p1"}'),
    )
    release()
  }
  let released = false
  release = () => {
    if (released) for (const end of held.splice(0)) end()
  }
  const inside = Array.from({ length: 4 }, (_, i) =>
    rig.ask(TARGET, { scope: 'system/*.rs', claims: { sub: `one of ${i}` } }),
  )
  await until(() => held.length === 2)
  return {
    async end() {
      released = true
      release()
      return Promise.all(inside)
    },
  }
}

describe('every place is taken', () => {
  test('with a credential: 503 and when to come again; without, or beyond its scopes: refused as always', async () => {
    const full = await fill()
    const [entitled, nobody, forged, other, twice] = await Promise.all([
      rig.ask(TARGET, { scope: 'system/*.rs' }),
      rig.ask(TARGET),
      rig.ask(TARGET, { token: 'e30.e30.e30' }),
      rig.ask(TARGET, { scope: 'system/Observation.rs' }),
      rig.ask(TARGET, { scope: 'system/*.rs', headers: { 'x-api-key': 'sgk_x' } }),
    ])
    expect(entitled!.status).toBe(503)
    expect(entitled!.text).toContain('overloaded')
    expect(entitled!.headers['retry-after']).toMatch(/^\d+$/)
    expect([nobody, forged, other, twice].map((answer) => answer!.status)).toEqual([401, 401, 403, 400])
    const answers = await full.end()
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  test('a flood without credentials takes no place from those who have one', async () => {
    const flood = Array.from({ length: 300 }, () => rig.ask(TARGET))
    const entitled = await rig.ask(TARGET, { scope: 'system/*.rs' })
    expect(entitled.status).toBe(200)
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]))
  })

  test('the admin port, open documents and metrics answer', async () => {
    const full = await fill()
    for (const line of ['GET /health/live', 'GET /health/ready', 'GET /metrics']) {
      expect((await rig.askAdmin(line)).status).toBe(200)
    }
    expect((await rig.ask('GET /.well-known/oauth-protected-resource/fhir/R4')).status).toBe(200)
    await full.end()
  })

  test('when places are free again, everybody is served', async () => {
    const full = await fill()
    await full.end()
    expect((await rig.ask(TARGET, { scope: 'system/*.rs' })).status).toBe(200)
  })
})

describe('bodies that are read whole', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const search = (length: number) =>
    rig.ask('POST /fhir/R4/Observation/_search', {
      scope: 'system/*.rs',
      headers: form,
      body: `code=${'x'.repeat(length)}`,
    })

  test('have room for so many bytes together, and the room is given back', async () => {
    let waiting: (() => void) | undefined
    rig.upstream.raw = (request, response) => {
      request.resume().on('end', () => {
        waiting = () =>
          response
            .writeHead(200, { 'content-type': 'application/fhir+json' })
            .end('{"resourceType":"Bundle","type":"searchset"}')
      })
    }
    const first = search(700_000)
    await until(() => waiting !== undefined)
    const second = await search(700_000)
    expect([second.status, second.text.includes('overloaded')]).toEqual([503, true])
    waiting!()
    expect((await first).status).toBe(200)
    rig.upstream.reset()
    expect((await search(700_000)).status).toBe(200)
  })

  test('of clients without a credential are not read at all', async () => {
    const answer = await rig.ask('POST /fhir/R4/Observation/_search', {
      headers: form,
      body: `code=${'x'.repeat(700_000)}`,
    })
    expect(answer.status).toBe(401)
  })
})
