// The way of one request, top to bottom, and nothing calls back up (ARCHITECTURE.md). Refusals are values; `orRefuse` turns one into
// the only throw, which is caught at the foot of the same function, so that the sentence stays a sentence.

import type { CredentialRequest } from '../credentials/credential-request.ts'
import type { Permit } from '../domain/decision/decision.ts'
import type { Grant } from '../domain/grant.ts'
import type { HeaderReader } from '../domain/http/request-headers.ts'
import { parseRequestTarget, type RequestTarget } from '../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { RouteTable } from '../domain/route-table.ts'
import { type Answer, type AnswerHeaders, forward } from '../proxy/forward.ts'
import { UploadStream, unreadable } from '../proxy/request-body.ts'
import { isReadFirst, mostRead, refuseBeforeReading } from './body-rules.ts'
import { clientName } from './client-name.ts'
import type { CrossOrigin } from './discovery/cross-origin.ts'
import type { OpenDocument } from './discovery/open-document.ts'
import { decodeUtf8, edgeOf } from './edge.ts'
import type { AskedLine, Endpoint, LookAgain, Plan } from './endpoint.ts'
import { changedMeanwhile } from './fhir/write-answers.ts'
import { EVENT_PAUSE_MS, mayPause, watchEvents } from './live/event-stream.ts'
import type { LiveHouse } from './live/live-house.ts'
import { openWebSocket } from './live/open-web-socket.ts'
import { refuseCrowded } from './parameter-limit.ts'
import type { Passage } from './passage.ts'
import type { ClientAddress } from './port/client-address.ts'
import { refusedOwnToken } from './refused-own-token.ts'

/** Everything of one configuration that serving needs. */
export interface House {
  readonly routes: RouteTable<Endpoint>
  readonly readHeaders: HeaderReader
  /** Bounds the reading of a target; that of the route may be less. */
  readonly parameterLimit: number
  /** Of the client, as far as proxies that stand between are trusted; never decides about access. */
  readonly clientAddress: ClientAddress
  readonly live: LiveHouse
  readonly crossOrigin: CrossOrigin
  findOpenDocument(path: string): OpenDocument | undefined
  authenticate(request: CredentialRequest, endpoint: Endpoint): Grant | Refusal | Promise<Grant | Refusal>
}

export async function serve(passage: Passage, house: House): Promise<void> {
  const { request } = passage
  try {
    const target = orRefuse(parseRequestTarget(request.url!, house.parameterLimit))
    const document = house.findOpenDocument(target.path) ?? house.crossOrigin.findPreflight(request, target)
    if (document !== undefined) {
      await serveDocument(document, target, passage, house)
      return
    }
    // Before the fields are read: a refusal of theirs has the form and the challenge of the route.
    const endpoint = orRefuse(house.routes.find(request.method!, target)).route
    passage.found(endpoint)
    orRefuse(refuseCrowded(target, endpoint.parameterLimit))
    const headers = orRefuse(house.readHeaders(request.rawHeaders, request))
    const line: AskedLine = { method: request.method!, target, headers }
    passage.read(line)
    const grant = endpoint.isPublic
      ? undefined
      : orRefuse(await house.authenticate({ ...line, socket: request.socket }, endpoint))
    passage.authenticated(grant)
    orRefuse(passage.counted(await endpoint.count?.(grant, () => house.clientAddress(request))))
    const body = orRefuse(await readMeaning(passage, line, endpoint))
    const asked = orRefuse(endpoint.name(line, body, grant))
    const decision = asked.decide(grant)
    passage.decided(asked, decision)
    if (decision.outcome === 'deny') passage.refuse(decision.refusal)
    else {
      if (endpoint.ownToken !== undefined) passage.speaksAs(orRefuse(await endpoint.ownToken.get()))
      const carry = passage.ahead === undefined ? send : openWebSocket
      carry(decision, orRefuse(await asked.plan(decision, grant, edgeOf(passage, house.clientAddress))), passage, house)
    }
  } catch (thrown) {
    answerThrown(passage, thrown)
  }
}

async function serveDocument(
  document: OpenDocument,
  target: RequestTarget,
  passage: Passage,
  house: House,
): Promise<void> {
  const { request } = passage
  passage.opened(document)
  const headers = orRefuse(house.readHeaders(request.rawHeaders, request))
  passage.read({ method: request.method!, target, headers })
  await passage.replyDocument(document)
}

/** Only forms and Bundles are read before the decision; no byte of a body is read before the credential was verified. */
async function readMeaning(
  passage: Passage,
  line: AskedLine,
  endpoint: Endpoint,
): Promise<string | undefined | Refusal> {
  const use = endpoint.bodyUse(line)
  const refusal = refuseBeforeReading(use, line)
  if (refusal !== undefined || !isReadFirst(use)) return refusal
  const body = await passage.readBody(mostRead(use, endpoint.bodyLimit))
  return isRefusal(body) ? body : decodeUtf8(body)
}

/** How often a write is looked at anew before its client is told that the resource keeps changing. */
const MOST_LOOKS_AGAIN = 3
const CHANGED = changedMeanwhile(412)

/** Forwarded, narrowed or guarded, as the plan says; only a cleared decision gets here. */
function send(decision: Permit, plan: Plan, passage: Passage, house: House, looksLeft = MOST_LOOKS_AGAIN): void {
  const { request, response, endpoint, grant, line, ownToken, fields } = passage.sending()
  const { upstream, outbound, inbound, bodyLimit } = endpoint
  const streamed = plan.bodyUse === 'resource' || plan.bodyUse === 'stream'
  const refusal = streamed ? refuseStream(plan, line, bodyLimit) : undefined
  if (refusal !== undefined) {
    passage.refuse(refusal)
    return
  }
  const hasBody = streamed && line.headers.bodyLength !== 0
  const authenticated = grant !== undefined
  const headers = outbound({
    headers: line.headers,
    grant,
    requestId: passage.id,
    clientAddress: house.clientAddress(request),
    bodyUnchanged: hasBody,
    answerIsRead: plan.readsAnswer,
    overrides: plan.overrides,
    ownToken,
  })
  const answer = (status: number, given: AnswerHeaders): Answer | Refusal => {
    if (looksLeft > 0 && plan.again?.after(status)) return CHANGED
    if (status === 401 && ownToken !== undefined) return refusedOwnToken(endpoint, ownToken)
    const upstreamHeaders = plan.answerHeaders?.(status, given) ?? given
    const transform = plan.transform?.(status, upstreamHeaders)
    if (isRefusal(transform)) return transform
    const back = inbound({
      headers: upstreamHeaders,
      requestId: passage.id,
      authenticated,
      rewritten: transform !== undefined,
      guards: transform?.guards,
    })
    back.push(...fields)
    return { status, headers: back, transform, headAtOnce: watchEvents(given, passage, house.live) }
  }
  forward(decision, {
    upstream,
    request,
    response,
    method: plan.method,
    path: plan.path,
    atOrigin: plan.atOrigin,
    client: clientName(grant, 'subject', () => house.clientAddress(request)),
    longPause: mayPause(endpoint, line) ? EVENT_PAUSE_MS : undefined,
    headers,
    body: hasBody ? new UploadStream(request, bodyLimit, plan.inspect?.(), passage.pace.upload) : plan.body,
    pace: passage.pace.answer,
    untaken: passage.untaken,
    answer,
    refuse: (fault) => {
      if (fault === CHANGED) void sendAgain(decision, plan.again!, passage, house, looksLeft)
      else passage.refuse(fault)
    },
    done: (report) => passage.done(report),
  })
}

/** Nothing was written, since the version that was looked at is no longer the one: what is stored now is looked at. */
async function sendAgain(
  decision: Permit,
  again: LookAgain,
  passage: Passage,
  house: House,
  looksLeft: number,
): Promise<void> {
  try {
    send(decision, orRefuse(await again.look()), passage, house, looksLeft - 1)
  } catch (thrown) {
    answerThrown(passage, thrown)
  }
}

function refuseStream({ inspect }: Plan, { headers }: AskedLine, limit: number): Refusal | undefined {
  const inspected = inspect !== undefined
  if (inspected && headers.bodyLength === 0) return refuse('body-invalid', 'Send the resource in the body.')
  return unreadable(headers, limit, inspected)
}

/** Thrown and caught in this file only; no Error, because nobody looks at its stack. */
class Refused {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

function answerThrown(passage: Passage, thrown: unknown): void {
  if (thrown instanceof Refused) passage.refuse(thrown.refusal)
  else passage.fail(thrown)
}

function orRefuse<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Refused(value)
  return value as Value
}
