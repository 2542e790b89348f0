// Asks one issuer about one token (RFC 7662 §2): a form, by POST, with the gateway's own client credentials. No redirect is followed
// (the token would go along), the answer is bounded in size and time, and only plain JSON counts: signed answers (RFC 9701) are not read.

import { type Dispatcher, request } from 'undici'
import type { Issuer } from '../config/settings.ts'
import { asDocumentError, IssuerDocumentError } from './issuer-documents.ts'
import { type JsonObject, parseStrictObject } from './strict-json.ts'

export type IntrospectionSettings = NonNullable<Issuer['introspection']>

const TIMEOUT = 5_000
const LARGEST_ANSWER = 64 * 1024

/** The answer as it stands; rejects with an IssuerDocumentError when there is none that can be read. */
export async function askIssuer(
  token: string,
  { url, clientId, clientSecret }: IntrospectionSettings,
  dispatcher: Dispatcher,
): Promise<JsonObject> {
  const signal = AbortSignal.timeout(TIMEOUT)
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      dispatcher,
      signal,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        authorization: basic(clientId, clientSecret),
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    })
    if (statusCode !== 200 || !isJson(headers['content-type'])) {
      // What follows is not worth the wait; the connection goes with it.
      body.on('error', () => {}).destroy()
      throw new IssuerDocumentError(statusCode === 200 ? 'the answer is no JSON' : `answered ${statusCode}`, statusCode)
    }
    const answer = parseStrictObject(await readBounded(body))
    if (answer === undefined) throw new IssuerDocumentError('the answer is not one well-formed JSON object', 200)
    return answer
  } catch (error) {
    throw asDocumentError(error, signal.aborted)
  }
}

async function readBounded(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > LARGEST_ANSWER) throw new IssuerDocumentError('the answer is too large', 200)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** RFC 6749 §2.3.1: both parts form-encoded before they are joined. */
function basic(clientId: string, clientSecret: string): string {
  const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`
}

function isJson(contentType: string | string[] | undefined): boolean {
  return typeof contentType === 'string' && /^application\/json[ \t]*(?:;|$)/i.test(contentType)
}
