// What planning may ask for beyond the request line: the body, and, as the gateway itself, the upstream. Only what is decided within
// limits needs either.

import { isUtf8 } from 'node:buffer'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { askUpstream, type UpstreamAnswer, type UpstreamQuestion } from '../proxy/ask-upstream.ts'
import { clientName } from './client-name.ts'
import type { Edge } from './endpoint.ts'
import type { Passage } from './passage.ts'
import type { ClientAddress } from './port/client-address.ts'
import { refusedOwnToken } from './refused-own-token.ts'

export function edgeOf(passage: Passage, clientAddress: ClientAddress): Edge {
  const ask = async (
    question: UpstreamQuestion,
    overrides: ReadonlyMap<string, string | undefined>,
  ): Promise<UpstreamAnswer | Refusal> => {
    const { request, response, line, endpoint, grant, ownToken } = passage.sending()
    // Nobody waits for what is still to be asked.
    if (response.destroyed) return refuse('upstream-broken', 'The client went away.')
    const headers = endpoint.outbound({
      headers: line.headers,
      grant,
      requestId: passage.id,
      clientAddress: clientAddress(request),
      bodyUnchanged: false,
      answerIsRead: true,
      overrides,
      ownToken,
    })
    const client = clientName(grant, 'subject', () => clientAddress(request))
    const answer = await askUpstream(endpoint.upstream, { ...question, client }, headers, endpoint.heldLimit)
    if (isRefusal(answer) || answer.status !== 401 || ownToken === undefined) return answer
    return refusedOwnToken(endpoint, ownToken)
  }
  return {
    body: async () => {
      const body = await passage.readBody(passage.sending().endpoint.bodyLimit)
      return isRefusal(body) ? body : decodeUtf8(body)
    },
    ask: (path) => ask({ method: 'GET', path }, ASKED_BY_US),
    send: (_cleared, { path, body, overrides }) => ask({ method: 'POST', path, body }, overrides),
  }
}

/** The client's conditions and wishes are about its own request. */
const ASKED_BY_US: ReadonlyMap<string, string | undefined> = new Map([
  ...[
    'if-match',
    'if-none-match',
    'if-modified-since',
    'if-unmodified-since',
    'if-none-exist',
    'prefer',
    'content-type',
    'content-encoding',
  ].map((name): [string, undefined] => [name, undefined]),
  ['accept', 'application/fhir+json'] as [string, string],
  // A server may answer a search from what it found a minute ago (HAPI does), and a write would be judged by that.
  ['cache-control', 'no-cache'] as [string, string],
])

export function decodeUtf8(body: Buffer): string | Refusal {
  if (isUtf8(body)) return body.toString('utf8')
  return refuse('body-invalid', 'The body is not valid UTF-8.')
}
