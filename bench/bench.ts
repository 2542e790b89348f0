// What enforcing costs: processor time for each request, side by side in one run. scopegate against its own bare pass-through (the
// same transport, nothing enforced) and http-proxy-3, in front of the same upstream, with the same requests, in interleaved rounds,
// so that a noisy machine is noisy for all. The operating system's accounting of the gateway's process is the figure that counts.
//
//   npm run bench -- [--seconds 4] [--rounds 3] [--connections 32] [--only NAME,NAME] [--json]

import { parseArgs } from 'node:util'
import { type Gateway, startGateways } from './gateways.ts'
import { searchset } from './searchset.ts'
import { startUpstream } from './upstream.ts'
import { findWrk, type Load, load } from './wrk.ts'

interface Round extends Load {
  readonly microseconds: number
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const connections = Number(values.connections)

findWrk()
const body = searchset()
const upstream = await startUpstream(body)
const gateways: Gateway[] = []
const rounds = new Map<Gateway, Round[]>()
try {
  for (const gateway of startGateways(upstream.url, values.only?.split(','))) gateways.push(await gateway)
  for (const gateway of gateways) rounds.set(gateway, [])
  for (const gateway of gateways) await load(gateway, { seconds: 2, connections })
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const gateway of gateways) {
      const before = gateway.processorTime()
      const result = await load(gateway, { seconds, connections })
      const spent = gateway.processorTime() - before
      rounds.get(gateway)!.push({ ...result, microseconds: (spent * 1e6) / result.requests })
    }
  }
} finally {
  await Promise.all([...gateways.map((gateway) => gateway.stop()), upstream.stop()])
}
report()

function report(): void {
  const median = (figures: readonly number[]): number =>
    [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)]!
  const rows = gateways.map((gateway) => {
    const results = rounds.get(gateway)!
    return {
      name: gateway.name,
      microseconds: median(results.map(({ microseconds }) => microseconds)),
      perSecond: median(results.map(({ perSecond }) => perSecond)),
      p99: median(results.map(({ p99 }) => p99)),
      errors: results.reduce((sum, { errors }) => sum + errors, 0),
      does: gateway.does,
    }
  })
  const bare = rows.find(({ name }) => name === 'bare')?.microseconds
  if (values.json) {
    console.log(JSON.stringify({ seconds, connections, bytes: body.length, upstream: upstream.kind, rows }, null, 2))
    return
  }
  console.log(
    `\n${body.length} bytes of searchset from ${upstream.kind}, wrk with ${connections} connections, ${values.rounds} rounds of ${seconds} s, medians\n`,
  )
  const cells = [['gateway', 'CPU µs/request', '× bare', 'requests/s', 'p99 ms', 'errors', 'what it does']]
  for (const row of rows) {
    const ratio = bare === undefined ? '' : (row.microseconds / bare).toFixed(2)
    cells.push([
      row.name,
      row.microseconds.toFixed(1),
      ratio,
      row.perSecond.toFixed(0),
      row.p99.toFixed(1),
      String(row.errors),
      row.does,
    ])
  }
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  for (const row of cells)
    console.log(
      row.map((cell, i) => (i === 0 || i === 6 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
  if (rows.some(({ errors }) => errors > 0)) {
    console.error('\nThere were errors: the figures above are not to be believed.')
    process.exitCode = 1
  }
}
