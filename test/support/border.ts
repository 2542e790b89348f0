// The parser border end to end: a whole gateway between clients of bare bytes and an upstream that records bytes. `refused` says what
// every attack has to come to: one answer of the closed list, and not a byte at the upstream.

import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { exchangeRaw, type RawAnswer, refusalIn } from './raw-socket.ts'
import { fhirMap, type Rig, startRig } from './rig.ts'
import type { WireRequest } from './wire.ts'
import { startWireUpstream, type WireUpstream } from './wire-upstream.ts'

export interface Border {
  readonly port: number
  readonly upstream: WireUpstream
  /** `Authorization: Bearer …` with every FHIR scope, and the product scopes of /app. */
  readonly authorization: string
  send(bytes: string): Promise<RawAnswer>
  /** Sends and expects this status and code, one answer, the connection closed or not, and nothing upstream. */
  refused(bytes: string, verdict: string | RegExp): Promise<RawAnswer>
  /** Sends and expects that one request arrived. */
  passed(bytes: string): Promise<WireRequest>
}

const MORE = `
  - name: app
    upstream: store
    identityHeaders: { subject: X-User }
    match:
      GET /app/public/*: public
      GET /app/*: app.all
      POST /app/*: app.all
      PUT /app/*: app.all
      PATCH /app/*: app.all
      DELETE /app/*: app.all
`
const SCOPES = 'scopes: { App: { app.all: { description: All., credentials: [oauth2] } } }\nroutes:'

/** Registers its own beginning and end; `server` adds keys below `server:`. */
export function useBorder(server = ''): Border {
  let rig: Rig
  let upstream: WireUpstream
  let authorization = ''
  beforeAll(async () => {
    upstream = await startWireUpstream()
    rig = await startRig({
      map: (at) => fhirMap({ server, more: MORE, store: `${upstream.url}/base` })(at).replace(/^routes:/m, SCOPES),
    })
    authorization = `Authorization: Bearer ${await rig.token('system/*.cruds app.all')}`
  })
  afterAll(async () => {
    await rig.close()
    await upstream.close()
  })
  beforeEach(() => upstream.reset())
  const send = (bytes: string): Promise<RawAnswer> => exchangeRaw(rig.port, Buffer.from(bytes, 'latin1'))
  return {
    get port() {
      return rig.port
    },
    get upstream() {
      return upstream
    },
    get authorization() {
      return authorization
    },
    send,
    refused: async (bytes, verdict) => {
      const answer = await send(bytes)
      const said = refusalIn(answer.text)
      if (typeof verdict === 'string') expect(said, answer.text).toBe(verdict)
      else expect(said, answer.text).toMatch(verdict)
      expect(answer.text.match(/HTTP\/1\.1 \d{3} /g), answer.text).toHaveLength(1)
      expect(upstream.bytes()).toBe('')
      return answer
    },
    passed: async (bytes) => {
      const { text } = await send(bytes)
      expect(text).toMatch(/^HTTP\/1\.1 2/)
      expect(upstream.malformed).toEqual([])
      expect(upstream.rest()).toBe('')
      expect(upstream.requests).toHaveLength(1)
      return upstream.requests[0]!
    },
  }
}
