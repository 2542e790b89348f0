// `upstreams:` the servers behind the gateway, by name: where they are, how long is waited for them, when one of several is left out.
import { baseUrl } from './address.ts'
import { size, timer } from './duration.ts'
import { count, defaulted, flag, oneOrMany, optional, section, text } from './keywords.ts'

const health = section(
  {
    path: text('Path on the server, from its root, that answers 2xx while it is healthy; asked without credentials.', {
      pattern: '^/[!-~]*$',
      '~expected': 'a path such as /healthz',
    }),
    interval: defaulted(timer('Time between two checks.'), '5s'),
    timeout: defaulted(timer('Until a check must have been answered.'), '2s'),
    unhealthyAfter: defaulted(count('Checks that must fail in a row until the server is left out.', 1, 100), 3),
    healthyAfter: defaulted(count('Checks that must pass in a row until it is used again.', 1, 100), 2),
  },
  'Active health checks.',
)

const ejection = section(
  {
    faults: defaulted(count('Requests that must fail in a row until a server is left out.', 1, 10_000), 5),
    time: defaulted(timer('How long it is left out the first time; twice as long each time after.'), '10s'),
    longest: defaulted(timer('How long it is left out at most.'), '5m'),
    slowStart: defaulted(timer('How long it gets fewer requests than the others after it is back.'), '10s'),
  },
  'When one of several servers is left out because requests to it fail, and how it comes back. Never more than half of them are.',
)

const queue = section(
  {
    perConnection: defaulted(count('Requests that may wait for each connection.', 0, 1_000), 15),
    timeout: defaulted(timer('How long a request may wait.'), '10s'),
  },
  'Requests that wait while every connection is in use; more are answered 503.',
)

const tls = section(
  {
    ca: optional(text('File with the CA certificates (PEM) that count instead of the public ones.')),
    cert: optional(text('File with the certificate chain (PEM) that the gateway shows.')),
    key: optional(text('File with its private key (PEM).')),
    serverName: optional(
      text('Name that the server must prove, also sent as SNI; default: the host of the URL.', {
        pattern: '^[A-Za-z0-9._-]+$',
        '~expected': 'a host name such as fhir.internal',
      }),
    ),
  },
  'TLS towards the server; it is always verified.',
)

export const Upstream = section(
  {
    url: oneOrMany(baseUrl('Where requests go.'), 'One URL, or several that serve the same.'),
    timeout: defaulted(timer('Until the headers of an answer must have arrived.'), '30s'),
    connectTimeout: defaulted(timer('Until a connection must be there, TLS included.'), '5s'),
    idleTimeout: defaulted(timer('Between two pieces of an answer.'), '30s'),
    minimumRate: defaulted(
      size('Bytes a second that an answer must come with on average, once it takes longer than idleTimeout.'),
      '128B',
    ),
    connections: defaulted(count('Most connections to each URL.', 1, 65_535), 64),
    perClient: optional(
      count('Most connections that one client may hold at once, to all URLs; default: three quarters of them.', 1),
    ),
    queue: defaulted(queue, {}),
    keepAlive: defaulted(timer('How long an idle connection is kept; less than the server keeps it.'), '4s'),
    publicBase: defaulted(
      flag('It writes the public URL of the gateway into links itself, so Bundles need no rewriting.'),
      false,
    ),
    health: optional(health),
    ejection: defaulted(ejection, {}),
    tls: optional(tls),
  },
  'A server behind the gateway.',
)
