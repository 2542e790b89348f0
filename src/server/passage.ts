// One request on its way: what is known of it so far, its single answer, and the record of what became of it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { acceptedFormats } from '../domain/answer-format.ts'
import type { Decision } from '../domain/decision/decision.ts'
import type { Grant } from '../domain/grant.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Finished } from '../observability/record.ts'
import type { ForwardReport } from '../proxy/forward.ts'
import { replyDocument, replyRefusal } from '../proxy/reply.ts'
import { readBody } from '../proxy/request-body.ts'
import type { Asked, AskedLine, Endpoint } from './endpoint.ts'
import type { OpenDocument, SentBody } from './open-document.ts'
import type { Counted } from './rate-limits.ts'

export interface Surroundings {
  record(finished: Finished): void
  readonly realm: string
  resourceMetadata(endpoint: Endpoint | undefined): string | undefined
}

export interface Sending {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly endpoint: Endpoint
  readonly grant: Grant | undefined
  readonly line: AskedLine
  /** Header fields of every answer to this request, flat. */
  readonly fields: readonly string[]
}

const NO_FIELDS: readonly string[] = []

export class Passage {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly #around: Surroundings
  readonly #start = performance.now()
  #line: AskedLine | undefined
  #endpoint: Endpoint | undefined
  #grant: Grant | undefined
  #asked: Asked | undefined
  #decision: Decision | undefined
  #refusal: Refusal | undefined
  #document: OpenDocument | undefined
  #fields: readonly string[] = NO_FIELDS
  #error: unknown
  #recorded = false

  constructor(id: string, request: IncomingMessage, response: ServerResponse, around: Surroundings) {
    this.id = id
    this.request = request
    this.response = response
    this.#around = around
  }

  read(line: AskedLine): void {
    this.#line = line
  }

  opened(document: OpenDocument): void {
    this.#document = document
  }

  found(endpoint: Endpoint): void {
    this.#endpoint = endpoint
  }

  authenticated(grant: Grant | undefined): void {
    this.#grant = grant
  }

  /** A refusal where the rate is used up. */
  counted(counted: Counted | undefined): Refusal | undefined {
    if (counted !== undefined) this.#fields = counted.fields
    return counted?.refusal
  }

  decided(asked: Asked, decision: Decision): void {
    this.#asked = asked
    this.#decision = decision
  }

  /** Everything that a request which is sent on has been through. */
  sending(): Sending {
    const { request, response } = this
    return { request, response, endpoint: this.#endpoint!, grant: this.#grant, line: this.#line!, fields: this.#fields }
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
      this.#set(document.refusalHeaders)
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
    const sent = replyRefusal(this.response, refusal, {
      fhir,
      wantsXml: fhir && this.#wantsXml(),
      requestId: this.id,
      challenge: { realm: this.#around.realm, ...(resourceMetadata === undefined ? {} : { resourceMetadata }) },
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

  #sentBody(headers: RequestHeaders): SentBody {
    return {
      contentType: headers.get('content-type'),
      host: headers.get('host'),
      origin: headers.get('origin'),
      fetchSite: headers.get('sec-fetch-site'),
      read: (limit) => readBody(this.request, headers, limit),
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
      error: this.#error,
    })
  }
}
