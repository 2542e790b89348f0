import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/observability/metrics.ts'

function metricsOf(routes: string[] = ['r4']) {
  const metrics = createMetrics({ process: false })
  metrics.applied(3, { routes, upstreams: ['nexus'], issuers: ['ehr'] })
  return metrics
}

const samples = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('every metric of the contract, by name and label', async () => {
  const metrics = metricsOf()
  metrics.request('r4', 'search-type', 'forward', 200)
  metrics.request('r4', 'search-type', 'forward', 200)
  metrics.decision('r4', 'deny', 'scope-insufficient')
  metrics.cacheLookup('token', 'hit')
  metrics.guardedEntries('withheld', 7)
  metrics.jwksRefresh('ehr', 'failure')
  metrics.gatewaySeconds(0.0002)
  metrics.upstreamSeconds('nexus', 0.02)
  const text = await metrics.print()
  for (const line of [
    'scopegate_requests_total{route="r4",interaction="search-type",outcome="forward",status="200"} 2',
    'scopegate_decisions_total{route="r4",outcome="deny",code="scope-insufficient"} 1',
    'scopegate_cache_lookups_total{cache="token",result="hit"} 1',
    'scopegate_guarded_entries_total{result="withheld"} 7',
    'scopegate_jwks_refreshes_total{issuer="ehr",result="failure"} 1',
    'scopegate_config_generation 3',
    'scopegate_gateway_seconds_count 1',
    'scopegate_gateway_seconds_bucket{le="0.0001"} 0',
    'scopegate_gateway_seconds_bucket{le="0.00025"} 1',
    'scopegate_gateway_seconds_bucket{le="+Inf"} 1',
    'scopegate_upstream_seconds_sum{upstream="nexus"} 0.02',
    'scopegate_upstream_seconds_bucket{le="0.025",upstream="nexus"} 1',
  ])
    expect(text).toContain(`${line}\n`)
  expect(text).toContain('# TYPE scopegate_gateway_seconds histogram')
  expect(text).toContain('# TYPE scopegate_requests_total counter')
})

test('printing twice says the same twice', async () => {
  const metrics = metricsOf()
  metrics.request('r4', 'read', 'forward', 200)
  metrics.gatewaySeconds(1)
  expect(await metrics.print()).toBe(await metrics.print())
})

test('whatever is in no closed set is counted as other', async () => {
  const metrics = metricsOf()
  metrics.request('/Patient/123', 'Patient', 'x', 999)
  metrics.request('none', 'none', 'none', 0)
  metrics.upstreamSeconds('10.0.0.7', 1)
  metrics.jwksRefresh('https://evil', 'success')
  const text = await metrics.print()
  expect(text).toContain('{route="other",interaction="other",outcome="other",status="other"} 1')
  expect(text).toContain('{route="none",interaction="none",outcome="none",status="none"} 1')
  expect(text).toContain('scopegate_upstream_seconds_count{upstream="other"} 1')
  expect(text).toContain('{issuer="other",result="success"} 1')
})

test('no text of a request can become a label or make the metrics grow', async () => {
  const metrics = metricsOf()
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, fc.integer(), (route, interaction, outcome, status) => {
      metrics.request(route, interaction, outcome, status)
      metrics.decision(route, outcome, interaction)
      metrics.upstreamSeconds(route, 1)
    }),
    { numRuns: 500 },
  )
  const labels = samples(await metrics.print()).flatMap((line) =>
    [...line.matchAll(/="([^"]*)"/g)].map((found) => found[1]!),
  )
  for (const label of labels) expect(label).toMatch(/^(?:other|none|r4|\d{3}|\+Inf|[\d.]+|[a-z-]+)$/)
  expect(labels.length).toBeLessThan(4000)
})

test('what was counted under an older route map stays', async () => {
  const metrics = metricsOf(['old'])
  metrics.request('old', 'read', 'forward', 200)
  metrics.applied(4, { routes: ['new'], upstreams: [], issuers: [] })
  metrics.request('old', 'read', 'forward', 200)
  metrics.request('new', 'read', 'forward', 200)
  const text = await metrics.print()
  expect(text).toContain('{route="old",interaction="read",outcome="forward",status="200"} 2')
  expect(text).toContain('{route="new",interaction="read",outcome="forward",status="200"} 1')
  expect(text).toContain('scopegate_config_generation 4')
})

test('a clock that ran backwards is no observation', async () => {
  const metrics = metricsOf()
  metrics.gatewaySeconds(-1)
  metrics.gatewaySeconds(Number.NaN)
  expect(await metrics.print()).not.toContain('scopegate_gateway_seconds_count')
})
