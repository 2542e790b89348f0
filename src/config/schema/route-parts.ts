// Keys that both kinds of route have.
import { timer } from './duration.ts'
import { choice, count, defaulted, list, oneOrMany, optional, section, text } from './keywords.ts'
import { Authorization } from './toward-upstream.ts'

const rateLimit = section(
  {
    requests: count('Requests that are let through in each period.', 1),
    per: timer('Length of a period.'),
    by: defaulted(choice(['client', 'subject', 'route'], 'A bucket.'), 'client'),
  },
  'Most requests in a time; more are answered 429.',
)

export const routeParts = {
  name: optional(text('Name for logs, metrics and explain; default: its path.')),
  upstream: text('Name of the upstream that serves it.'),
  issuers: optional(
    list(
      text('Name of an issuer.'),
      'Issuers whose tokens count here; default all when there is one, required when several.',
      { minItems: 1 },
    ),
  ),
  audience: optional(
    oneOrMany(
      text('An audience.'),
      'A token must carry one of these; default publicUrl + path on a FHIR route, any of the issuer elsewhere.',
    ),
  ),
  authorization: defaulted(Authorization, 'none'),
  rateLimit: optional(rateLimit),
}
