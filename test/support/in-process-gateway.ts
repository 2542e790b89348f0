// The gateway without its sockets: the composed house reads, decides and plans one request, a function stands for the upstream, and
// the answer goes through the planned transform in pieces. What is left out is HTTP itself, so that a property can ask thousands of times.

import { loadRouteMap } from '../../src/config/load.ts'
import { statusOf } from '../../src/domain/answer.ts'
import { batchResponse } from '../../src/domain/answer-batch.ts'
import type { Grant } from '../../src/domain/grant.ts'
import { parseRequestTarget } from '../../src/domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import type { AnswerHeaders } from '../../src/proxy/forward.ts'
import { type Composed, compose } from '../../src/server/compose.ts'
import type { Edge, Plan } from '../../src/server/endpoint.ts'
import { createLasting } from '../../src/server/generations/lasting.ts'
import { PUBLIC_URL } from './rig.ts'

export interface StoreRequest {
  readonly method: string
  /** Below the base, with query. */
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string | undefined
}

export interface StoreAnswer {
  readonly status: number
  readonly headers?: AnswerHeaders
  readonly body?: string
}

export type Store = (request: StoreRequest) => StoreAnswer

export interface Given {
  readonly status: number
  /** The gateway's own code, where it refused. */
  readonly code: string | undefined
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any
  /** What the upstream was asked; undefined when it was not. */
  readonly sent: StoreRequest | undefined
}

export interface AskOptions {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes in each piece of the upstream's answer. */
  readonly piece?: number
}

export const UPSTREAM_BASE = 'http://store.test/base'

/** One FHIR route at /fhir/R4 in front of `upstream`; `route` adds keys to it. */
export class InProcessGateway {
  readonly #composed: Composed

  constructor({ fhir = 'R4', route = '', upstream = UPSTREAM_BASE } = {}) {
    const loaded = loadRouteMap(mapOf(fhir, route, upstream), { file: 'routes.yaml', env: {} })
    if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
    const lasting = createLasting({ sealKeys: ['a secret of this test'] })
    const own = { generation: 1, lease: lasting.keeper.lease(), offline: true }
    this.#composed = compose(loaded.settings, lasting, own)
  }

  /** `line` is `METHOD target`, the target below the public URL. */
  async ask(line: string, grant: Grant, store: Store, options: AskOptions = {}): Promise<Given> {
    const { house } = this.#composed
    const [method = '', text = ''] = line.split(/ (.*)/s)
    const { body, headers = {}, piece = 4096 } = options
    const target = parseRequestTarget(text, house.parameterLimit)
    if (isRefusal(target)) return refused(target)
    const found = house.routes.find(method, target)
    if (isRefusal(found)) return refused(found)
    const endpoint = found.route
    const fields = house.readHeaders(headersOf(headers, body))
    if (isRefusal(fields)) return refused(fields)
    const asked = endpoint.name({ method, target, headers: fields }, body, grant)
    if (isRefusal(asked)) return refused(asked)
    const decision = asked.decide(grant)
    if (decision.outcome === 'deny') return refused(decision.refusal)
    let plan = await asked.plan(decision, grant, edgeOf(body, store))
    if (isRefusal(plan)) return refused(plan)
    let sent = sentAs(plan, headers, body)
    let answer = store(sent)
    for (let looks = 3; looks > 0 && plan.again?.after(answer.status); looks--) {
      plan = await plan.again.look()
      if (isRefusal(plan)) return refused(plan)
      sent = sentAs(plan, headers, body)
      answer = store(sent)
    }
    const given = answer.body ?? ''
    const fieldsBack: AnswerHeaders = { 'content-type': 'application/fhir+json', ...answer.headers }
    const transform = plan.transform?.(answer.status, fieldsBack)
    if (isRefusal(transform)) return refused(transform, sent)
    if (transform === undefined)
      return { status: answer.status, code: undefined, text: given, json: parsed(given), sent }
    let written = ''
    const decoder = new TextDecoder()
    const out = {
      write: (bytes: Buffer) => {
        written += decoder.decode(bytes, { stream: true })
      },
    }
    const bytes = Buffer.from(given)
    for (let at = 0; at < bytes.length; at += piece) {
      // A copy, because the gateway may not hold on to memory that is not its own.
      const chunk = Buffer.from(bytes.subarray(at, at + piece))
      const refusal = transform.write(chunk, out)
      chunk.fill(0x21)
      if (refusal !== undefined) return broken(refusal, written, sent)
    }
    const ended = await transform.end(out)
    if (ended === 'not-modified') return { status: 304, code: undefined, text: written, json: undefined, sent }
    if (ended !== undefined) return broken(ended, written, sent)
    return { status: answer.status, code: undefined, text: written, json: parsed(written), sent }
  }
}

/** What only writes within limits ask for. */
function edgeOf(body: string | undefined, store: Store): Edge {
  return {
    body: async () => body ?? '',
    ask: async (path) => {
      const { status, headers, body: text = '' } = store({ method: 'GET', path, headers: new Map(), body: undefined })
      const etag = headers?.['etag']
      return { status, etag: typeof etag === 'string' ? etag : undefined, body: Buffer.from(text) }
    },
    send: async (_cleared, { path, body: sent, overrides }) => {
      const fields = [...overrides].filter((field): field is [string, string] => field[1] !== undefined)
      const { status, body: text = '' } = store({ method: 'POST', path, headers: new Map(fields), body: sent })
      return { status, etag: undefined, body: Buffer.from(text) }
    },
  }
}

function headersOf(headers: Readonly<Record<string, string>>, body: string | undefined): string[] {
  const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))]
  return ['host', 'api.example.org', ...Object.entries(headers).flat(), ...length]
}

function sentAs(plan: Plan, headers: Readonly<Record<string, string>>, body: string | undefined): StoreRequest {
  const kept = Object.entries(headers).filter(([name]) => !(plan.overrides?.has(name) ?? false))
  const set = [...(plan.overrides ?? [])].filter((field): field is [string, string] => field[1] !== undefined)
  return { method: plan.method, path: plan.path, headers: new Map([...kept, ...set]), body: plan.body ?? body }
}

function refused(refusal: Refusal, sent?: StoreRequest): Given {
  const { code, extras } = refusal
  const status = statusOf(refusal)
  if (extras.entries === undefined) return { status, code, text: '', json: undefined, sent }
  const text = JSON.stringify(batchResponse(extras.entries))
  return { status, code: undefined, text, json: JSON.parse(text), sent }
}

/** With bytes out already, the connection would be broken. */
function broken(refusal: Refusal, written: string, sent: StoreRequest): Given {
  return { ...refused(refusal, sent), text: written, ...(written === '' ? {} : { status: 0 }) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function mapOf(fhir: string, route: string, upstream: string): string {
  return `
version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: ${PUBLIC_URL} }
issuers: [{ name: ehr, issuer: "https://ehr.test", audience: ["urn:x"], jwks: "https://ehr.test/jwks" }]
upstreams: { store: { url: "${upstream}" } }
routes:
  - name: r4
    fhir: ${fhir}
    path: /fhir/R4
    upstream: store
    smart: true
${route.replaceAll(/^(?=.)/gm, '    ')}
`
}
