// What a flood of tokens that were never seen before costs those that were: a steady load with one token, remembered, beside as many
// new ES384 tokens of another issuer as it says, one in five good and four forged under a known key id; each signature takes about a
// millisecond to verify. Interleaved rounds of one run, against a gateway started as an operator starts it.
//
//   node bench/new-tokens.ts [--new 1000] [--rate 300] [--seconds 10] [--rounds 2] [--json]

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Latencies, SteadyLoad } from './steady-load.ts'

const { values } = parseArgs({
  options: {
    new: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    /** Of the process that floods. */
    flood: { type: 'string' },
  },
})
const perSecond = Number(values.new)
const seconds = Number(values.seconds)
const AUDIENCE = 'https://gateway.bench.test/fhir/R4'
const GOOD_IN = 5

type Answers = Readonly<Record<string, number>>
interface Order {
  readonly good: readonly string[]
}

if (values.flood === undefined) await main()
else process.once('message', (order) => void flood(values.flood!, order as Order))

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-bench-'))
  const upstream = createServer((_, response) => {
    response.setHeader('content-type', 'application/fhir+json').end('{"resourceType":"Bundle","type":"searchset"}')
  })
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
  const [steady, flooded] = await Promise.all([issuer('steady', 'RS256', folder), issuer('flooded', 'ES384', folder)])
  writeFileSync(
    join(folder, 'routes.yaml'),
    routeMap(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}/fhir`),
  )
  const { url, child } = await serve(join(folder, 'routes.yaml'))
  const target = `${url}/fhir/R4/Observation?patient=p1`
  const headers = { authorization: `Bearer ${await steady(0)}`, accept: 'application/fhir+json' }
  const load = new SteadyLoad({ url: target, headers }, 16)
  const rounds: (Latencies & { readonly with: string; readonly flood?: Answers })[] = []
  let serial = 0
  try {
    await load.run(Number(values.rate), 3)
    for (let round = 0; round < Number(values.rounds); round++) {
      rounds.push({ with: 'nobody else', ...(await load.run(Number(values.rate), seconds)) })
      const count = Math.ceil((perSecond * seconds) / GOOD_IN)
      const good: string[] = []
      while (good.length < count) good.push(await flooded(serial++))
      const attack = fork(import.meta.filename, ['--flood', target, '--new', values.new, '--seconds', values.seconds])
      const answers = new Promise<Answers>((resolve) => attack.once('message', (told) => resolve(told as Answers)))
      attack.send({ good } satisfies Order)
      const latencies = await load.run(Number(values.rate), seconds)
      rounds.push({ with: 'new tokens', ...latencies, flood: await answers })
    }
  } finally {
    load.close()
    child.kill('SIGTERM')
    upstream.closeAllConnections()
    upstream.close()
    rmSync(folder, { recursive: true, force: true })
  }
  if (values.json) console.log(JSON.stringify(rounds))
  else {
    const ms = (value: number): string => `${value.toFixed(1)} ms`
    console.table(
      rounds.map(({ flood, p50, p99, max, ...round }) => ({
        ...round,
        p50: ms(p50),
        p99: ms(p99),
        max: ms(max),
        flood: flood === undefined ? '' : JSON.stringify(flood),
      })),
    )
  }
}

/** Mints what it is asked for, and leaves its key set in the folder. */
async function issuer(name: string, alg: string, folder: string): Promise<(serial: number) => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey as CryptoKey)), kid: 'bench', alg, use: 'sig' }
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ keys: [jwk] }))
  return (serial) =>
    new SignJWT({ scope: 'system/Observation.rs', client_id: 'bench', jti: `${name}-${serial}` })
      .setProtectedHeader({ alg, kid: 'bench', typ: 'at+jwt' })
      .setIssuer(`https://${name}.bench.test`)
      .setAudience(AUDIENCE)
      .setSubject('bench')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
}

function routeMap(upstream: string): string {
  const issuers = ['steady', 'flooded'].map(
    (name) =>
      `  - { name: ${name}, issuer: "https://${name}.bench.test", audience: ["${AUDIENCE}"], jwksFile: ${name}.json, mayGrant: ["system/*"] }`,
  )
  return `version: 1
server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0", publicUrl: "https://gateway.bench.test" }
issuers:
${issuers.join('\n')}
upstreams: { fhir: { url: "${upstream}" } }
routes: [{ name: r4, fhir: R4, path: /fhir/R4, upstream: fhir, smart: true, issuers: [steady, flooded] }]
`
}

function serve(map: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', map], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /listens on (http:\S+?),/.exec(said)
      if (found !== null) resolve({ url: found[1]!, child })
    })
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${said}`)))
  })
}

/** Open loop, too; tells how often each status was answered. */
async function flood(url: string, { good }: Order): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  const answers: Record<string, number> = {}
  const [header, , signature] = good[0]!.split('.')
  const running: Promise<void>[] = []
  const start = performance.now()
  for (let sent = 0; sent < perSecond * seconds; ) {
    const due = ((performance.now() - start) * perSecond) / 1_000
    for (; sent < Math.min(due, perSecond * seconds); sent++) {
      running.push(ask(sent % GOOD_IN === 0 ? good[sent / GOOD_IN]! : forged(sent)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(running)
  process.send!(answers, () => process.exit(0))

  function forged(serial: number): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: 'https://flooded.bench.test',
      aud: AUDIENCE,
      iat: now,
      exp: now + 60,
      jti: `forged-${serial}`,
    }
    return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
  }

  function ask(token: string): Promise<void> {
    return new Promise((resolve) => {
      const count = (status: string): void => {
        answers[status] = (answers[status] ?? 0) + 1
        resolve()
      }
      request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume().on('close', () => count(String(answer.statusCode)))
      })
        .on('error', () => count('error'))
        .end()
    })
  }
}
