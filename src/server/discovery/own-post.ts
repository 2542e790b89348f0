// A small body that one of the gateway's own pages sends: only from that page itself, of one media type, bounded.

import { isUtf8 } from 'node:buffer'
import { mediaType } from '../../domain/http/media-type.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { OpenRequest } from './open-document.ts'

export async function readOwnPost<T>(
  { sent }: OpenRequest,
  type: string,
  limit: number,
  parse: (text: string) => T | Refusal,
): Promise<T | Refusal> {
  if (sent === undefined) return refuse('body-invalid', 'The body is missing.')
  if (!isOwn(sent.fetchSite, sent.origin, sent.host)) {
    return refuse('header-ambiguous', 'Pages of other origins cannot send this.', { status: 403 })
  }
  if (mediaType(sent.contentType) !== type) return refuse('body-invalid', `Send it as ${type}.`, { status: 415 })
  const body = await sent.read(limit)
  if (isRefusal(body)) return body
  return isUtf8(body) ? parse(body.toString('utf8')) : refuse('body-invalid', 'The body is not valid UTF-8.')
}

/** Programs send neither field. Behind a proxy that renames the host, `Sec-Fetch-Site` still tells. */
function isOwn(fetchSite: string | undefined, origin: string | undefined, host: string | undefined): boolean {
  if (fetchSite !== undefined) return fetchSite === 'same-origin' || fetchSite === 'none'
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`
}
