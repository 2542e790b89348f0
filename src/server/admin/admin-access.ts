// Who may use the admin port: whoever has its token, or a client certificate of its CA. It has no users, so besides it must not be
// lent to web pages: a page that points its own name at 127.0.0.1 (DNS rebinding) is told by the Host, a page that posts across
// origins by Origin and the media type.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { certificateThumbprint } from '../../credentials/client-certificate.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'

export interface AccessRules {
  readonly token: string | undefined
  /** Client certificates are asked for, and one that was verified is as good as the token. */
  readonly certificates: boolean
  /** The port listens where other machines reach it. */
  readonly exposed: boolean
}

/** For every request, whatever it asks. */
export function refuseForeignPages(
  { headers, socket }: IncomingMessage,
  { exposed }: AccessRules,
): Refusal | undefined {
  const host = headers.host ?? ''
  // An exposed port is called by whatever name it has there, and gives nothing away without its token.
  if (!exposed && !isLocalHost(host)) {
    const detail = 'The admin port answers to its IP address or localhost only. Use that in the URL.'
    return refuse('header-ambiguous', detail, { status: 421 })
  }
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (
    (origin !== undefined && !isSameOrigin(origin, host, socket instanceof TLSSocket)) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none')
  ) {
    return refuse('header-ambiguous', 'The admin port does not answer pages of other origins.', { status: 403 })
  }
  return undefined
}

/** For everything but health and metrics. */
export function refuseUnauthorized({ headers, socket }: IncomingMessage, rules: AccessRules): Refusal | undefined {
  const { token, certificates, exposed } = rules
  if (certificates && certificateThumbprint(socket, Date.now()) !== undefined) return undefined
  if (token === undefined) {
    if (certificates) return refuse('token-missing', 'Connect with a client certificate of the CA of the admin port.')
    if (!exposed) return undefined
    const detail =
      'Off loopback and without a token, the admin port gives health and metrics only. Set server.admin.token or server.admin.clientCa, or let it listen on 127.0.0.1.'
    return refuse('credential-kind', detail)
  }
  if (headers.authorization === undefined) {
    return refuse('token-missing', 'Send the admin token as Authorization: Bearer ….')
  }
  const [, given] = /^bearer +(\S+)$/i.exec(headers.authorization) ?? []
  return given !== undefined && isEqual(given, token)
    ? undefined
    : refuse('token-invalid', 'This is not the admin token.')
}

/** A form of another site's page cannot send this media type. */
export function refuseUnlessJson({ headers }: IncomingMessage): Refusal | undefined {
  if (/^application\/json *(;|$)/i.test(headers['content-type'] ?? '')) return undefined
  return refuse('body-invalid', 'Send it with Content-Type: application/json.', { status: 415 })
}

function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
}

/** A proxy in front may be the one that speaks TLS. */
function isSameOrigin(origin: string, host: string, secure: boolean): boolean {
  return origin === `https://${host}` || (!secure && origin === `http://${host}`)
}

/** In a time that does not tell how much of it is right. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
