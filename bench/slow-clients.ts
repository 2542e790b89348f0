// What thousands of slow clients cost everybody else: a steady load of honest requests, with and without connections that never end their
// header fields, in interleaved rounds of one run, against a gateway started as an operator starts it. Of the slow ones three times are
// told apart: when they all come, when they all wait, and when they are closed after `timeouts.header` (10 s) and come back at once.
//
//   node bench/slow-clients.ts [--slow 10000] [--rate 300] [--rounds 2] [--json]
//
// Both processes need an open file for each connection. Node raises its limit to the hard one by itself; see `ulimit -Hn`.

import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Gateway, startGateways } from './gateways.ts'
import { searchset } from './searchset.ts'
import { type Latencies, SteadyLoad } from './steady-load.ts'
import { startUpstream } from './upstream.ts'

interface Told {
  readonly open: number
  readonly answered: number
  readonly failed: number
}

interface Round extends Latencies {
  readonly beside: 'nobody' | 'slow, coming' | 'slow, waiting' | 'slow, coming back'
  readonly residentMiB: number
  readonly processorShare: number
  readonly slow: Told
}

const { values } = parseArgs({
  options: {
    slow: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const slow = Number(values.slow)
const rate = Number(values.rate)
const NOBODY: Told = { open: 0, answered: 0, failed: 0 }
/** Seconds. From the first to the last of those that come to those that are closed must be less than `timeouts.header`. */
const ALONE = 10
const COMING = 3
const WAITING = 5
const COMING_BACK = 12

checkOpenFiles(slow + 500)
const upstream = await startUpstream(searchset())
let gateway: Gateway | undefined
const rounds: Round[] = []
try {
  for (const starting of startGateways(upstream.url, ['scopegate'])) gateway = await starting
  const load = new SteadyLoad(gateway!, 16)
  await load.run(rate, 5)
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.push(await measure(gateway!, load, 'nobody', ALONE))
    const attack = startAttack(Number(new URL(gateway!.url).port))
    rounds.push(await measure(gateway!, load, 'slow, coming', COMING, attack.told))
    rounds.push(await measure(gateway!, load, 'slow, waiting', WAITING, attack.told))
    rounds.push(await measure(gateway!, load, 'slow, coming back', COMING_BACK, attack.told))
    attack.stop()
    await wait(2_000)
  }
  rounds.push(await measure(gateway!, load, 'nobody', ALONE))
  load.close()
} finally {
  await Promise.all([gateway?.stop(), upstream.stop()])
}
report()

async function measure(
  at: Gateway,
  load: SteadyLoad,
  beside: Round['beside'],
  seconds: number,
  told: () => Told = () => NOBODY,
): Promise<Round> {
  const before = at.processorTime()
  const latencies = await load.run(rate, seconds)
  const processorShare = (at.processorTime() - before) / seconds
  return { ...latencies, beside, residentMiB: at.resident() / 2 ** 20, processorShare, slow: told() }
}

function startAttack(port: number): { told(): Told; stop(): void } {
  const child: ChildProcess = fork(join(import.meta.dirname, 'slow-attack.ts'), [String(port), values.slow])
  // They would be on other machines: their own work must not be what everybody else waits for.
  setPriority(child.pid!, 10)
  let told = NOBODY
  child.on('message', (message) => {
    told = message as Told
  })
  return { told: () => told, stop: () => child.disconnect() }
}

function checkOpenFiles(needed: number): void {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
  if (limit >= needed) return
  console.error(
    `A process may have ${limit} open files here and needs ${needed}: nothing was measured.\nRaise the hard limit (ulimit -Hn, LimitNOFILE, docker run --ulimit nofile=65536), or take fewer: --slow ${limit - 500}`,
  )
  process.exit(1)
}

function report(): void {
  if (values.json) {
    console.log(JSON.stringify({ slow, rate, upstream: upstream.kind, rounds }, null, 2))
    return
  }
  console.log(`\n${rate} requests a second, open loop; ${slow} slow clients\n`)
  const cells = [
    ['beside', 'p50 ms', 'p99 ms', 'max ms', 'errors', 'requests', 'gateway MiB', 'CPU', 'slow open', '408'],
  ]
  for (const { beside, p50, p99, max, errors, requests, residentMiB, processorShare, slow: told } of rounds) {
    cells.push([
      beside,
      ...[p50, p99, max].map((time) => time.toFixed(1)),
      ...[errors, requests].map(String),
      residentMiB.toFixed(0),
      `${(processorShare * 100).toFixed(0)} %`,
      ...[told.open, told.answered].map(String),
    ])
  }
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  for (const row of cells) console.log(row.map((cell, column) => cell.padStart(widths[column]!)).join('  '))
}
