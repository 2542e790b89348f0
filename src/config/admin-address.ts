// Where the admin port is, also by a route map that is broken elsewhere: a gateway that serves by the last good one is still healthy,
// and a probe that gave up on the file would have it restarted, onto a route map with which it cannot start.

import type { Draft } from './checks/draft.ts'
import type { Address } from './schema/address.ts'
import { decode } from './schema/decode.ts'
import { RouteMap } from './schema/route-map.ts'
import { Server } from './schema/server.ts'
import { readDocument } from './source/document.ts'
import type { Environment } from './source/environment.ts'
import { soundPart } from './source/validate.ts'

export interface AdminAddress {
  readonly listen: Address
  /** It speaks TLS. */
  readonly secure: boolean
}

/** The default one where the text says none that can be read. */
export function adminAddress(text: string, env: Environment): AdminAddress {
  const document = readDocument(text, '', env)
  const inspection = { report: () => {}, writtenAt: document.writtenAt }
  const map = document.value === undefined ? {} : ((soundPart(RouteMap, document.value, inspection) ?? {}) as Draft)
  const admin = map.server?.admin
  const server = { listen: '127.0.0.1:0', ...(admin === undefined ? {} : { admin }) }
  const { listen, tls, clientCa } = decode(Server, server).admin
  return { listen, secure: tls !== undefined || clientCa !== undefined }
}
