// A soak: the gateway as a process of its own under mixed load, with clients that leave, an upstream that breaks, a reload every second
// (every tenth is broken) and new keys of the issuer, watched for minutes. Exit code 1 when something grows or cannot be explained.
//
//   npm run soak -- [--minutes 3] [--clients 16] [--workers 1]

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startSoakLoad } from './soak/load.ts'
import { print, verdictOf } from './soak/verdict.ts'
import { type Sample, startWatchedGateway } from './soak/watched-gateway.ts'
import { AUDIENCE, startWorld, type World } from './soak/world.ts'

const RELOAD_EVERY_MS = 1_000
/** An unknown key makes the gateway ask once in half a minute. */
const ROTATE_EVERY_MS = 40_000
const SAMPLE_EVERY_MS = 5_000
/** Upstream connections rest for some seconds, clients' longer. */
const REST_MS = 12_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    clients: { type: 'string', default: '16' },
    workers: { type: 'string', default: '1' },
  },
})
const world = await startWorld()
const folder = mkdtempSync(join(tmpdir(), 'scopegate-soak-'))
const map = join(folder, 'routes.yaml')
const workers = Number(values.workers)
writeFileSync(map, mapOf(world, 0))
const gateway = await startWatchedGateway(map, workers)
const load = startSoakLoad(gateway.port, Number(values.clients), world)
const until = Date.now() + Number(values.minutes) * 60_000
let reloads = 0
const reloading = setInterval(() => {
  reloads++
  writeFileSync(map, reloads % 10 === 0 ? 'broken: yes' : mapOf(world, reloads))
  // Half of them by the port, half because the file changed.
  if (reloads % 2 === 0) void gateway.reload()
}, RELOAD_EVERY_MS)
const rotating = setInterval(() => void world.rotate(), ROTATE_EVERY_MS)

console.log('  seconds  requests  left   generation   heap      outside   resident  sockets  loop p99')
const samples: Sample[] = []
const startedAt = Date.now()
while (Date.now() < until) {
  await wait(SAMPLE_EVERY_MS)
  samples.push(await gateway.sample())
  report(samples.at(-1)!)
}
clearInterval(reloading)
clearInterval(rotating)
await load.stop()
await wait(REST_MS)
const atRest = await gateway.sample()
report(atRest)
const exitCode = await gateway.stop()
await world.close()
rmSync(folder, { recursive: true })

for (const [what, count] of [...load.tally.answered].sort()) console.log(`  ${what.padEnd(16)} ${count}`)
console.log(`  ${reloads} reloads, ${load.tally.left} requests left by their clients`)
const problems = verdictOf(samples, load.tally, { ...atRest, processes: gateway.processes, exitCode })
console.log(problems.length === 0 ? 'Flat.' : `Not flat:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
process.exitCode = problems.length === 0 ? 0 : 1

function report({ generation, heap, outside, resident, sockets, loopDelay }: Sample): void {
  const requests = [...load.tally.answered.values()].reduce((sum, count) => sum + count, 0)
  const cells = [
    ((Date.now() - startedAt) / 1000).toFixed(0).padStart(9),
    String(requests).padStart(9),
    String(load.tally.left).padStart(6),
    String(generation).padStart(10),
    ...[heap, outside, resident].map((bytes) => print(bytes, 'MB').padStart(9)),
    String(sockets).padStart(8),
    `${(loopDelay * 1000).toFixed(0)} ms`.padStart(9),
  ]
  console.log(cells.join(' '))
}

/** Another number is another timeout of the upstreams, so that they are made anew at every third reload. */
function mapOf({ fhirUrl, flakyUrl, issuerUrl }: World, number: number): string {
  return `version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: http://127.0.0.1:8080, workers: ${workers} }
issuers: [{ name: soak, issuer: "${issuerUrl}", audience: ["${AUDIENCE}"], jwks: "${issuerUrl}/jwks" }]
upstreams:
  store: { url: "${fhirUrl}", timeout: ${20 + (number % 3)}s }
  flaky: { url: "${flakyUrl}", timeout: ${20 + (number % 3)}s }
scopes:
  Soak:
    flaky.read: { description: Reads what breaks., credentials: [oauth2], products: [Soak], selfService: true }
routes:
  - { name: r4, fhir: R4, path: /fhir/R4, upstream: store, smart: true, audience: "${AUDIENCE}" }
  - { name: flaky, upstream: flaky, match: { GET /flaky: flaky.read } }
  - { name: live, upstream: flaky, webSocket: true, match: { GET /live: flaky.read } }
`
}
