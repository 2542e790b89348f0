// `bare.ts UPSTREAM`: the bare pass-through. The port and the forwarding of the product, with headers passed as they are: no route,
// no credential, no decision, nothing rewritten. What scopegate costs above this is what enforcing costs.

import type { Cleared } from '../src/domain/decision/decision.ts'
import { forward } from '../src/proxy/forward.ts'
import { HOP_BY_HOP } from '../src/proxy/hop-by-hop.ts'
import { Upstream } from '../src/proxy/upstream.ts'
import { listen } from '../src/server/port/listen.ts'

const upstream = new Upstream({
  name: 'bench',
  url: [process.argv[2]!],
  timeout: 30_000,
  connectTimeout: 5_000,
  idleTimeout: 30_000,
  minimumRate: 128,
  connections: 64,
  queue: { perConnection: 15, timeout: 10_000 },
  keepAlive: 4_000,
  ejection: { faults: 5, time: 10_000, longest: 300_000, slowStart: 10_000 },
})
const cleared = {} as Cleared
const base = '/fhir/R4'

const listener = await listen(
  {
    host: '127.0.0.1',
    port: 0,
    limits: { header: 16_384, target: 8_192 },
    timeouts: { header: 10_000, idle: 60_000, request: 300_000 },
  },
  {
    handle(request, response) {
      const { rawHeaders } = request
      const headers: string[] = []
      for (let i = 0; i < rawHeaders.length; i += 2) {
        const name = rawHeaders[i]!.toLowerCase()
        if (name !== 'host' && !HOP_BY_HOP.has(name)) headers.push(name, rawHeaders[i + 1]!)
      }
      forward(cleared, {
        upstream,
        request,
        response,
        method: request.method!,
        path: request.url!.slice(base.length),
        headers,
        pace: { first: 60_000, idle: 60_000, least: 1_024 },
        answer(status, answered) {
          const back: string[] = []
          for (const name in answered) if (!HOP_BY_HOP.has(name)) back.push(name, String(answered[name]))
          return { status, headers: back }
        },
        refuse(refusal) {
          response.writeHead(refusal.status).end()
        },
      })
    },
    refuse: (_request, response, refusal) => response.writeHead(refusal.status).end(),
  },
)
console.error(`bare listens on http://127.0.0.1:${listener.address.port},`)
