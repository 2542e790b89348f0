// What http-proxy-3 is given in place of the client's request: the fields that the outbound rules made, in one lower-case map, with
// the handshake's own built anew; and where it goes. No extension is offered: nothing is ever inflated here (CVE-2026-1526), and the
// frames that pass stay readable to the scanner.

import type { IncomingMessage } from 'node:http'
import type { ServerOptions } from 'http-proxy-3'
import type { Target } from '../target.ts'
import { connectOptions } from '../upstream-tls.ts'
import { type Handshake, VERSION } from './handshake.ts'

const LONGEST_ANSWER_HEADERS = 64 * 1024

/**
 * http-proxy-3 reads method, version, fields and target of it, and nothing else. The target is none: it would be printed anew, and
 * written to the log of whoever debugs; the request gets its own behind http-proxy-3's back.
 */
export function standIn({ url }: Target, headers: readonly string[], { key, protocols }: Handshake): IncomingMessage {
  const fields = asMap(headers)
  fields['host'] = new URL(url).host
  fields['connection'] = 'Upgrade'
  fields['upgrade'] = 'websocket'
  fields['sec-websocket-version'] = VERSION
  fields['sec-websocket-key'] = key
  if (protocols.length > 0) fields['sec-websocket-protocol'] = protocols.join(', ')
  const request = { method: 'GET', url: '/', headers: fields, httpVersion: '1.1', httpVersionMajor: 1 }
  return request as unknown as IncomingMessage
}

export function optionsFor({ url, tls }: Target, connectTimeout: number): ServerOptions {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const { ca, cert, key, ...connect } = connectOptions(tls)
  return {
    target: {
      protocol,
      host,
      hostname: host,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
    toProxy: true,
    connectTimeout,
    // INVARIANT: TLS is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    secure: true,
    // What node:http is asked with besides; http-proxy-3 changes it, so each request has its own.
    ssl: { ...connect, maxHeaderSize: LONGEST_ANSWER_HEADERS, insecureHTTPParser: false },
  }
}

/** No field goes twice in two spellings. */
function asMap(flat: readonly string[]): Record<string, string | string[]> {
  const map = Object.create(null) as Record<string, string | string[]>
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!.toLowerCase()
    const value = flat[i + 1]!
    const known = map[name]
    map[name] = known === undefined ? value : [...(typeof known === 'string' ? [known] : known), value]
  }
  return map
}
