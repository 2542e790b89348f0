// Every kind of request, a few times, each answer's status and content checked. No load: it tells whether all of it works.

import { followPages, pushBundle, writeAndDelete } from './lib/journeys.js'
import { requestsTo } from './lib/requests.js'
import { failingLoudly, GATEWAY, obtainCredentials, sendable, sender } from './lib/send.js'

export const options = {
  scenarios: {
    smoke: {
      executor: 'per-vu-iterations',
      exec: 'smoke',
      vus: 1,
      iterations: Number(__ENV.ITERATIONS || 3),
      maxDuration: '2m',
    },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    'http_req_duration{scenario:smoke}': ['p(95)<1000'],
  },
  summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
}

const REQUESTS = sendable(requestsTo(GATEWAY))

export const setup = obtainCredentials

export function smoke(credentials) {
  const send = sender(credentials)
  return failingLoudly(async () => {
    for (const request of REQUESTS) send(request)
    await followPages(send, GATEWAY)
    await writeAndDelete(send, GATEWAY)
    await pushBundle(send, GATEWAY)
  })
}
