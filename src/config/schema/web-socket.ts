// `webSocket:` of a route: whether its GET lines may be opened as WebSockets, and within which limits.
import { size, timer } from './duration.ts'
import { count, defaulted, flag, section, shorthand } from './keywords.ts'

const limits = section(
  {
    message: defaulted(size('Most bytes of one message, either way.'), '1MiB'),
    rate: defaulted(
      count('Frames that a client may send in a second; it is read more slowly then.', 1, 1_000_000),
      100,
    ),
    idle: defaulted(
      timer('A side that says nothing for so long, not even to a Ping after half of it, is given up.'),
      '5m',
    ),
    connections: defaulted(count('Most that are open at once, in each process.', 1, 1_000_000), 1_000),
    perClient: defaulted(count('Most that one client has open at once, in each process.', 1, 1_000_000), 50),
  },
  'WebSockets within these limits.',
)

export const WebSocket = shorthand(
  flag('Let WebSocket upgrades of its GET lines through, or not.'),
  limits,
  (on) => (on ? {} : undefined),
  'Whether its GET lines may be opened as WebSockets, and within which limits.',
  { '~expected': 'true, false, or a map with message, rate, idle, connections, perClient' },
)
