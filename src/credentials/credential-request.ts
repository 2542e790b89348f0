// A request as far as credentials go: what they are read from, and what a proof of possession must fit.

import type { Socket } from 'node:net'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import type { RequestTarget } from '../domain/http/request-target.ts'

export interface CredentialRequest {
  readonly method: string
  readonly target: Pick<RequestTarget, 'parameters' | 'path'>
  readonly headers: Pick<RequestHeaders, 'get'>
  /** The connection that it came on; left out where there is none. */
  readonly socket?: Socket | undefined
}
