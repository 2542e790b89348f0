// One short sentence per refusal code: the `title` of problem details and `details.text` of an OperationOutcome. The
// refusal's own detail says what to do next; these say what happened, in words that never change.

import type { RefusalCode } from './refusal.ts'

export const TITLES: Readonly<Record<RefusalCode, string>> = {
  'token-missing': 'No credential came with the request.',
  'token-invalid': 'The credential is not accepted.',
  'token-expired': 'The credential has expired.',
  'token-revoked': 'The credential has been revoked.',
  'credential-ambiguous': 'More than one credential came, or one in a place where none is read.',
  'scope-insufficient': 'The granted scopes do not cover the request.',
  'credential-kind': 'This kind of credential cannot carry the scope that is needed.',
  'operation-not-listed': 'The operation is not opened on this route.',
  'launch-context-missing': 'A patient/ scope came without a launch patient.',
  'patient-mismatch': 'The request names a patient other than the one in the launch context.',
  'constraint-unenforceable': 'The request cannot be limited to what was granted.',
  'version-conflict': 'The stored resource has another version than the one that was meant or checked.',
  'not-found': 'There is no such resource within what was granted.',
  'target-ambiguous': 'The request target can be read in more than one way.',
  'header-ambiguous': 'A header can be read in more than one way.',
  'body-invalid': 'The request body cannot be read.',
  'route-unknown': 'No route serves this path.',
  'interaction-unknown': 'The request is no interaction that is known here.',
  'body-too-large': 'The request body is too large.',
  'target-too-long': 'The request target is too long.',
  'rate-limited': 'Too many requests.',
  'headers-too-large': 'The request headers are too large.',
  'too-slow': 'The request came too slowly.',
  'too-early': 'The request came as early data, which can be replayed.',
  'upstream-broken': 'The upstream server gave an answer that cannot be passed on.',
  'upstream-unreachable': 'The upstream server cannot be reached.',
  'upstream-timeout': 'The upstream server did not answer in time.',
  'issuer-unavailable': 'The token issuer cannot be asked.',
  'gateway-broken': 'The gateway failed.',
  overloaded: 'The gateway has too much to do.',
}
