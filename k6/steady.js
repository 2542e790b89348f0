// A constant arrival rate (an open model: a slow gateway does not slow the arrivals down), in the proportions of a day's work.
// What counts begins after the warm-up. RATE iterations a second for DURATION, after WARM_UP; see docs/load-testing.md.

import exec from 'k6/execution'
import { followPages } from './lib/journeys.js'
import { requestsTo } from './lib/requests.js'
import { failingLoudly, GATEWAY, obtainCredentials, sendable, sender } from './lib/send.js'

const RATE = Number(__ENV.RATE || 200)
const DURATION = __ENV.DURATION || '30s'
const WARM_UP = __ENV.WARM_UP || '10s'
/** How often each kind comes among twenty iterations. */
const SHARES = { read: 7, search: 5, product: 4, refusal: 2, discovery: 1, page: 1 }
/** After so many times twenty it begins anew. */
const ROUNDS = 28

const arrivals = (more) => ({
  executor: 'constant-arrival-rate',
  exec: 'steady',
  rate: RATE,
  timeUnit: '1s',
  // Enough for half a second of stillness: a VU that must be made first is an iteration dropped.
  preAllocatedVUs: 100,
  maxVUs: 200,
  gracefulStop: '10s',
  ...more,
})

export const options = {
  scenarios: {
    warm_up: arrivals({ duration: WARM_UP }),
    steady: arrivals({ duration: DURATION, startTime: WARM_UP }),
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    'dropped_iterations{scenario:steady}': ['count==0'],
    'http_req_duration{scenario:steady}': [`p(95)<${__ENV.P95 || 50}`, `p(99)<${__ENV.P99 || 150}`],
    ...Object.fromEntries(
      Object.keys(SHARES).map((kind) => [
        `http_req_duration{scenario:steady,kind:${kind}}`,
        [`p(99)<${__ENV.P99 || 150}`],
      ]),
    ),
  },
  summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
}

export const setup = obtainCredentials

const SCHEDULE = schedule(sendable(requestsTo(GATEWAY)))

export function steady(credentials) {
  const send = sender(credentials)
  const next = SCHEDULE[exec.scenario.iterationInTest % SCHEDULE.length]
  return failingLoudly(() => (next === 'page' ? followPages(send, GATEWAY) : send(next)))
}

/** Twenty kinds in their shares, mixed, and within each kind one request after the other. */
function schedule(requests) {
  const kinds = Object.entries(SHARES).flatMap(([kind, share]) => Array(share).fill(kind))
  const sent = Object.fromEntries(Object.keys(SHARES).map((kind) => [kind, 0]))
  return Array.from({ length: kinds.length * ROUNDS }, (_, index) => {
    // 3 and 20 have no common divisor, so a stride of 3 visits each place once.
    const kind = kinds[(index * 3) % kinds.length]
    const ofKind = requests.filter((request) => request.kind === kind)
    return kind === 'page' ? kind : ofKind[sent[kind]++ % ofKind.length]
  })
}
