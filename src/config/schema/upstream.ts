// `upstreams:` the servers behind the gateway, by name.
import { baseUrl } from './address.ts'
import { timer } from './duration.ts'
import { count, defaulted, flag, oneOrMany, optional, section, text } from './keywords.ts'

const health = section(
  {
    path: text('Path that answers 2xx on a healthy server.', { pattern: '^/', '~expected': 'a path such as /healthz' }),
    interval: defaulted(timer('Time between two checks.'), '5s'),
  },
  'Active health checks.',
)

export const Upstream = section(
  {
    url: oneOrMany(baseUrl('Where requests go.'), 'One URL, or several that serve the same.'),
    timeout: defaulted(timer('Until the headers of an answer must have arrived.'), '30s'),
    connections: defaulted(count('Most connections to each URL.', 1, 65_535), 64),
    publicBase: defaulted(
      flag('It writes the public URL of the gateway into links itself, so Bundles need no rewriting.'),
      false,
    ),
    health: optional(health),
  },
  'A server behind the gateway.',
)
