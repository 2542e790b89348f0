// What must hold of a request's body before a byte of it is read; the same for the gateway and for `explain`.

import type { BodyUse } from '../domain/fhir-request.ts'
import { isUtf8, refuseUnlessForm, refuseUnlessJson } from '../domain/http/media-type.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { AskedLine } from './endpoint.ts'

/** Forms, Bundles, patches, Subscriptions and the Parameters of an export are read before the decision. */
export function isReadFirst(use: BodyUse): boolean {
  return use === 'form' || use === 'bundle' || use === 'parameters' || use === 'patch' || use === 'subscription'
}

/** A search is short, and reading a form costs far more than its bytes: no honest one is larger. */
const LARGEST_FORM = 1024 * 1024

/** Bytes of a body that is read before the decision. */
export function mostRead(use: BodyUse, bodyLimit: number): number {
  return use === 'form' ? Math.min(bodyLimit, LARGEST_FORM) : bodyLimit
}

export function refuseBeforeReading(use: BodyUse, { method, headers }: AskedLine): Refusal | undefined {
  switch (use) {
    case 'none':
      if (headers.bodyLength === 0) return undefined
      return refuse('body-invalid', `A ${method} takes no body here. Send it without one.`)
    case 'form':
      return refuseUnlessForm(headers)
    case 'bundle':
    case 'parameters':
    case 'subscription':
      return refuseUnlessJson(headers)
    case 'patch':
      return isUtf8(headers.get('content-type')) ? undefined : refuse('body-invalid', 'Send the patch in UTF-8.')
    default:
      return undefined
  }
}
