// HSTS (RFC 6797) on the gateway's own pages where it speaks TLS itself. It binds the whole host, every port and whatever else stands
// there, so it is not said for this machine, not for subdomains, and not on behalf of a proxy that may speak plain HTTP besides.

import { isLoopback } from '../../config/schema/address.ts'
import type { Server } from '../../config/settings.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { OpenAnswer, OpenDocument } from '../discovery/open-document.ts'

const FIELD: readonly string[] = ['strict-transport-security', 'max-age=31536000']

export function strictly(document: OpenDocument, { tls, publicUrl }: Pick<Server, 'tls' | 'publicUrl'>): OpenDocument {
  if (tls === undefined || isLoopback(publicUrl)) return document
  const withField = (answer: OpenAnswer): OpenAnswer =>
    isRefusal(answer) ? answer : { ...answer, headers: [...(answer.headers ?? []), ...FIELD] }
  return {
    ...document,
    refusalHeaders: [...document.refusalHeaders, ...FIELD],
    answer: (request) => {
      const answer = document.answer(request)
      return answer instanceof Promise ? answer.then(withField) : withField(answer)
    },
  }
}
