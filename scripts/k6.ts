// `npm run k6 -- smoke|steady [--ports N] [arguments of k6 run]`: the load scenarios of k6/ by the real k6, against the demo. What is
// missing is brought: k6 is built once, the demo is started and stopped. Ends with k6's own exit code (99: a threshold was missed).

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { provideK6 } from './k6/binary.ts'
import { makeDemoKeys, type WantedKey } from './k6/demo-keys.ts'
import { addressesOf, isRunning, startDemo } from './k6/demo-process.ts'
import { readWords } from './k6/words.ts'

const SCENARIOS = new URL('../k6/', import.meta.url)
const CREDENTIALS = new URL('lib/credentials.js', SCENARIOS)

async function run(given: readonly string[]): Promise<number> {
  const scenarios = readdirSync(SCENARIOS).flatMap((file) => (file.endsWith('.js') ? [file.slice(0, -3)] : []))
  const read = readWords(given, scenarios)
  if ('usage' in read) {
    console.error(read.usage)
    return 2
  }
  const { scenario, ports, rest } = read
  const k6 = await provideK6()
  let running: ChildProcess | undefined
  // Ctrl-C reaches k6 by itself, which then prints its summary and ends. Before k6 runs, leaving by `exit` stops the demo too.
  process.on('SIGINT', () => running ?? process.exit(130))
  process.on('SIGTERM', () => running?.kill('SIGTERM') ?? process.exit(143))
  const { gateway, issuer } = addressesOf(ports)
  const demo = await provideDemo(ports, gateway)
  try {
    // In the environment rather than in the words, which every user of the machine can read.
    const env = { K6_NO_USAGE_REPORT: 'true', ...process.env, ...demo.env, GATEWAY_URL: gateway, ISSUER_URL: issuer }
    const script = fileURLToPath(new URL(`${scenario}.js`, SCENARIOS))
    running = spawn(k6, ['run', ...rest, script], { stdio: 'inherit', env })
    const [code] = (await once(running, 'exit')) as [number | null]
    return code ?? 1
  } finally {
    await demo.stop()
  }
}

async function provideDemo(ports: number, gateway: string) {
  if (await isRunning(ports)) {
    console.error(`Using what runs on ${gateway}.`)
    return { env: {}, stop: async () => {} }
  }
  console.error(`Starting the demo on ${gateway} …`)
  const { KEYS } = (await import(CREDENTIALS.href)) as { KEYS: Record<string, WantedKey> }
  const keys = await makeDemoKeys(Object.values(KEYS))
  try {
    const stopDemo = await startDemo(ports, keys.file)
    return { env: keys.env, stop: () => stopDemo().then(keys.remove) }
  } catch (error) {
    await keys.remove()
    throw error
  }
}

run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  },
)
