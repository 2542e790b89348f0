// One request on its way: what is known of it so far, its single answer, and the record of what became of it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { PROOF_ALGORITHMS } from '../credentials/dpop-proof.ts'
import { acceptedFormats } from '../domain/answer-format.ts'
import type { Decision } from '../domain/decision/decision.ts'
import type { Grant } from '../domain/grant.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Finished } from '../observability/record.ts'
import type { ForwardReport } from '../proxy/forward.ts'
import { replyDocument, replyRefusal } from '../proxy/reply.ts'
import type { UntakenAnswers } from '../proxy/untaken-answers.ts'
import type { TunnelReport } from '../proxy/web-socket/tunnel.ts'
import type { CrossOrigin } from './discovery/cross-origin.ts'
import type { OpenDocument, SentBody } from './discovery/open-document.ts'
import type { Asked, AskedLine, Endpoint } from './endpoint.ts'
import type { ClientPace } from './port/client-pace.ts'
import type { HeldBodies } from './port/held-bodies.ts'
import type { Counted } from './rate-limits.ts'

export interface Surroundings {
  readonly pace: ClientPace
  readonly bodies: HeldBodies
  readonly untaken: UntakenAnswers
  record(finished: Finished): void
  readonly realm: string
  readonly crossOrigin: Pick<CrossOrigin, 'fieldsFor'>
  resourceMetadata(endpoint: Endpoint | undefined): string | undefined
}

export interface Sending {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly endpoint: Endpoint
  readonly grant: Grant | undefined
  readonly line: AskedLine
  /** The gateway's own, where the route asks for one. */
  readonly ownToken: string | undefined
  /** Header fields of every answer to this request, flat. */
  readonly fields: readonly string[]
}

export class Passage {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Of a request that asks for another protocol: bytes that came behind its fields. Undefined for every other. */
  readonly ahead: number | undefined
  readonly #around: Surroundings
  readonly #start = performance.now()
  #line: AskedLine | undefined
  #endpoint: Endpoint | undefined
  #grant: Grant | undefined
  #asked: Asked | undefined
  #decision: Decision | undefined
  #ownToken: string | undefined
  #refusal: Refusal | undefined
  #document: OpenDocument | undefined
  #fields: readonly string[]
  #lasts = false
  #webSocket: TunnelReport | undefined
  #error: unknown
  #recorded = false

  constructor(id: string, request: IncomingMessage, response: ServerResponse, around: Surroundings, ahead?: number) {
    this.id = id
    this.request = request
    this.response = response
    this.ahead = ahead
    this.#around = around
    this.#fields = around.crossOrigin.fieldsFor(request.headers.origin)
  }

  read(line: AskedLine): void {
    this.#line = line
  }

  opened(document: OpenDocument): void {
    this.#document = document
    this.#fields = document.refusalHeaders
  }

  found(endpoint: Endpoint): void {
    this.#endpoint = endpoint
  }

  authenticated(grant: Grant | undefined): void {
    this.#grant = grant
  }

  /** A refusal where the rate is used up. */
  counted(counted: Counted | undefined): Refusal | undefined {
    if (counted !== undefined) this.#fields = [...this.#fields, ...counted.fields]
    return counted?.refusal
  }

  decided(asked: Asked, decision: Decision): void {
    this.#asked = asked
    this.#decision = decision
  }

  /** What the gateway says for itself to the upstream. */
  speaksAs(ownToken: string): void {
    this.#ownToken = ownToken
  }

  /** Everything that a request which is sent on has been through. */
  sending(): Sending {
    return {
      request: this.request,
      response: this.response,
      endpoint: this.#endpoint!,
      grant: this.#grant,
      line: this.#line!,
      ownToken: this.#ownToken,
      fields: this.#fields,
    }
  }

  /** The pace in which this client must send and take. */
  get pace(): ClientPace {
    return this.#around.pace
  }

  /** Where answers count that their clients have not taken. */
  get untaken(): UntakenAnswers {
    return this.#around.untaken
  }

  /** The whole body, once. */
  readBody(limit: number): Promise<Buffer | Refusal> {
    return this.#around.bodies.read(this.request, this.response, this.#line!.headers, limit)
  }

  async replyDocument(document: OpenDocument): Promise<void> {
    const { method, headers, target } = this.#line!
    const format = target.parameters.find(({ name }) => name === '_format')?.value
    const answer = await document.answer({
      method,
      accept: headers.get('accept'),
      format,
      ifNoneMatch: headers.get('if-none-match'),
      sent: headers.bodyLength === 0 ? undefined : this.#sentBody(headers),
    })
    if (isRefusal(answer)) {
      this.refuse(answer)
      return
    }
    const sent = replyDocument(this.response, answer, this.id)
    this.#record(sent.status, sent.bytes, undefined)
  }

  refuse(refusal: Refusal): void {
    this.#refusal = refusal
    this.#set(this.#fields)
    const fhir = this.#document?.fhir ?? this.#endpoint?.route.kind === 'fhir'
    const resourceMetadata = this.#around.resourceMetadata(this.#endpoint)
    const takesTokens = (this.#endpoint?.route.issuers.length ?? 0) > 0
    const sent = replyRefusal(this.response, refusal, {
      fhir,
      wantsXml: fhir && this.#wantsXml(),
      requestId: this.id,
      challenge: {
        realm: this.#around.realm,
        ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
        ...(takesTokens && { proofAlgorithms: PROOF_ALGORITHMS }),
      },
    })
    this.#record(sent.status, sent.bytes, undefined)
  }

  /** A defect of ours: closed, and said in the log only. */
  fail(error: unknown): void {
    this.#error = error
    this.refuse(refuse('gateway-broken', 'The gateway failed on this request. Tell its operator the request id.'))
  }

  done(report: ForwardReport): void {
    if (report.outcome !== 'refused') this.#record(report.status, report.bytes, report.answerMs ?? report.headersMs)
  }

  /** It goes on until somebody ends it: a WebSocket, a stream of events. */
  lasts(): void {
    this.#lasts = true
  }

  /** A WebSocket is over. */
  closed(report: TunnelReport): void {
    this.#lasts = true
    this.#webSocket = report
    this.#record(101, report.fromUpstream.bytes, undefined)
  }

  #sentBody(headers: RequestHeaders): SentBody {
    return {
      contentType: headers.get('content-type'),
      host: headers.get('host'),
      origin: headers.get('origin'),
      fetchSite: headers.get('sec-fetch-site'),
      read: (limit) => this.#around.bodies.read(this.request, this.response, headers, limit),
    }
  }

  #set(fields: readonly string[]): void {
    if (this.response.headersSent) return
    for (let i = 0; i < fields.length; i += 2) this.response.setHeader(fields[i]!, fields[i + 1]!)
  }

  #wantsXml(): boolean {
    const line = this.#line
    if (line === undefined) return false
    const format = line.target.parameters.find(({ name }) => name === '_format')?.value
    return acceptedFormats(line.headers.get('accept'), format).prefersXml
  }

  #record(status: number, bytes: number, upstreamMs: number | undefined): void {
    if (this.#recorded) return
    this.#recorded = true
    this.#around.record({
      id: this.id,
      method: this.request.method ?? '',
      route: this.#endpoint?.route.name ?? this.#document?.route ?? 'none',
      upstream: this.#endpoint?.upstream.name,
      interaction: this.#asked?.interaction ?? this.#document?.interaction ?? 'none',
      outcome: this.#decision?.outcome ?? (this.#document === undefined ? 'none' : 'open'),
      code: this.#refusal?.code,
      status,
      bytes,
      totalMs: performance.now() - this.#start,
      upstreamMs,
      issuer: this.#grant?.issuer,
      parameterNames: (this.#line?.target.parameters ?? []).map(({ name }) => name),
      lasts: this.#lasts,
      webSocket: this.#webSocket,
      error: this.#error,
    })
  }
}
