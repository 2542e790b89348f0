// `server:` where the gateway listens, what it calls itself, and the limits that hold for every client.
import { address, baseUrl, network } from './address.ts'
import { pause, size, timer } from './duration.ts'
import { choice, count, defaulted, list, optional, secret, section, shorthand, text } from './keywords.ts'

const identity = {
  cert: text('File with the certificate chain (PEM), its own certificate first; read anew when it changes.'),
  key: text('File with the private key (PEM, no passphrase); read anew when it changes.'),
}

const adminSection = section(
  {
    listen: defaulted(address('Address of the admin port.'), '127.0.0.1:9090'),
    token: optional(secret('Bearer token that the admin port asks for, health and metrics apart.')),
    tls: optional(
      section(identity, 'TLS on the admin port; without it, clientCa takes the certificate of server.tls.'),
    ),
    clientCa: optional(
      text(
        'File with the CA of client certificates: one of them opens what the token opens. The port then speaks TLS.',
      ),
    ),
  },
  'Admin port with credentials of its own.',
)

const admin = shorthand(
  address('Address of the admin port.'),
  adminSection,
  (listen) => ({ listen }),
  'Admin port: health, metrics, explain, reload, console. Off loopback without token or clientCa only health and metrics answer.',
  { '~expected': 'an address such as 127.0.0.1:9090, or a map with listen, token, tls, clientCa' },
)

const tls = section(
  {
    ...identity,
    clientCa: optional(text('File with the CA of client certificates; asks every client for one.')),
    clientCertificates: defaulted(
      choice(
        ['required', 'optional'],
        'With clientCa: whether a client without a certificate gets in. One that cannot be verified never does.',
      ),
      'required',
    ),
  },
  'TLS on the public port.',
)

const limits = section(
  {
    header: defaulted(size('Most bytes of request headers.'), '16KiB'),
    target: defaulted(size('Most bytes of a request target.'), '8KiB'),
    body: defaulted(size('Most bytes of a request body.'), '50MiB'),
    token: defaulted(size('Most bytes of a bearer token.'), '8KiB'),
    searchParameters: defaulted(count('Most query parameters of one request.', 1), 200),
    bundleEntries: defaulted(count('Most entries of a Bundle that a client sends.', 1), 10_000),
    connections: optional(
      count(
        'Most connections of clients to one process; default 16384, or what the limit of open files leaves beside those to upstreams.',
        1,
        1_000_000,
      ),
    ),
    connectionsPerAddress: optional(
      count(
        'Most of them from one IPv4 address or IPv6 /64, trusted proxies apart; default: no limit, as many clients may share one.',
        1,
        1_000_000,
      ),
    ),
    heldBodies: defaulted(
      size(
        'Most bytes of request bodies that are held in memory at once, of all requests of one process; never less than `body`.',
      ),
      '256MiB',
    ),
    heldAnswers: defaulted(
      size(
        'Most bytes of answers that were read here and that their clients have not taken yet, of all requests of one process; the oldest are broken off.',
      ),
      '256MiB',
    ),
    guardedBody: defaulted(size('Most bytes of an answer held in memory at once while it is checked.'), '10MiB'),
  },
  'What is refused for its size.',
)

const timeouts = section(
  {
    header: defaulted(timer('Until the headers of a request must have arrived.'), '10s'),
    idle: defaulted(timer('How long a connection may rest.'), '60s'),
    request: defaulted(
      timer('Until a whole request must have arrived; a body that keeps to minimumRate may take longer.'),
      '5m',
    ),
    minimumRate: defaulted(
      size('Bytes a second, over time, that a client must send of a body, or take of an answer, to be waited for.'),
      '1KiB',
    ),
    grace: defaulted(pause('How long connections are still accepted after SIGTERM, with readiness already off.'), '0s'),
    drain: defaulted(timer('How long running requests may take after SIGTERM.'), '20s'),
  },
  'What is refused for its slowness.',
)

export const Server = section(
  {
    listen: address('Address of the public port; port 0 takes a free one.'),
    admin: defaulted(admin, '127.0.0.1:9090'),
    publicUrl: optional(baseUrl('What clients call this gateway: challenges, links and discovery documents say it.')),
    workers: defaulted(count('Processes that share the port; 0 is one for each core.', 0, 1024), 1),
    trustedProxies: defaulted(
      list(network('A proxy.'), 'Networks whose Forwarded and X-Forwarded-* headers are believed; none by default.'),
      [],
    ),
    tls: optional(tls),
    limits: defaulted(limits, {}),
    timeouts: defaulted(timeouts, {}),
  },
  'The process itself.',
)
