import { expect, test } from 'vitest'
import { createMetrics } from '../../../src/observability/metrics.ts'
import { SummedMetrics } from '../../../src/server/workers/summed-metrics.ts'

function worker(generation: number) {
  const metrics = createMetrics({ process: false })
  metrics.applied(generation, { routes: ['r4'], upstreams: ['store'], issuers: ['ehr'] })
  return metrics
}

/** As it comes through the channel between the processes. */
const sent = async (metrics: { snapshot(): Promise<unknown> }) => JSON.parse(JSON.stringify(await metrics.snapshot()))

test('counters and histograms of workers add up; what a gone worker counted stays; the generation is the lowest', async () => {
  const own = worker(2)
  own.reloaded(true)
  const workers = new Map([
    [1, worker(2)],
    [2, worker(1)],
  ])
  const summed = new SummedMetrics(own, async () => {
    const answers = await Promise.all([...workers].map(async ([id, it]) => [id, await sent(it)] as const))
    return new Map<number, unknown>([...answers, [3, new Error('no answer')]])
  })
  for (const it of workers.values()) {
    it.request('r4', 'read', 'forward', 200)
    it.gatewaySeconds(0.002)
  }
  const has = async (...lines: string[]) => {
    const text = (await summed.print()).split('\n')
    for (const line of lines) expect(text).toContain(line)
  }
  const requests = 'scopegate_requests_total{route="r4",interaction="read",outcome="forward",status="200"}'
  await has(`${requests} 2`, 'scopegate_gateway_seconds_count 2', 'scopegate_config_generation 1')
  await has('scopegate_config_last_reload_successful 1')
  workers.delete(2)
  await summed.left(2)
  await has(`${requests} 2`, 'scopegate_gateway_seconds_count 2', 'scopegate_config_generation 2')
  workers.set(4, worker(2))
  workers.get(4)!.request('r4', 'read', 'forward', 200)
  await has(`${requests} 3`)
  workers.clear()
  await summed.left(1)
  await summed.left(4)
  await has(`${requests} 3`)
})
