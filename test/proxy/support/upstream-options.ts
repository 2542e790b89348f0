// An upstream as the route map would make it, where it says nothing but the address; what waits, waits less long.

import type { UpstreamOptions } from '../../../src/proxy/upstream.ts'

export function upstreamOptions(options: Partial<UpstreamOptions>): UpstreamOptions {
  return {
    name: 'up',
    url: ['http://127.0.0.1:1'],
    timeout: 5_000,
    connectTimeout: 5_000,
    idleTimeout: 5_000,
    minimumRate: 128,
    connections: 8,
    queue: { perConnection: 15, timeout: 5_000 },
    keepAlive: 4_000,
    ejection: { faults: 5, time: 10_000, longest: 300_000, slowStart: 10_000 },
    ...options,
  }
}
