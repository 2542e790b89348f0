// `npm run k6 -- smoke|steady [--ports N] [arguments of k6 run]`: the load scenarios of k6/ by the real k6, against the demo. What is
// missing is brought: k6 is built once, the demo is started and stopped. Ends with k6's own exit code (99: a threshold was missed).

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { provideK6 } from './k6/binary.ts'
import { addressesOf, startDemo } from './k6/demo-process.ts'
import { readWords } from './k6/words.ts'

const SCENARIOS = new URL('../k6/', import.meta.url)

async function run(words: readonly string[]): Promise<number> {
  const scenarios = readdirSync(SCENARIOS).flatMap((file) => (file.endsWith('.js') ? [file.slice(0, -3)] : []))
  const read = readWords(words, scenarios)
  if ('usage' in read) {
    console.error(read.usage)
    return 2
  }
  const { scenario, ports, rest } = read
  const k6 = await provideK6()
  const stopDemo = await startDemo(ports)
  try {
    const { gateway, issuer } = addressesOf(ports)
    const script = new URL(`${scenario}.js`, SCENARIOS).pathname
    return await ended(k6, ['run', '-e', `GATEWAY_URL=${gateway}`, '-e', `ISSUER_URL=${issuer}`, ...rest, script])
  } finally {
    await stopDemo()
  }
}

/** Ctrl-C reaches k6 too, which then prints its summary and ends by itself. */
function ended(command: string, words: readonly string[]): Promise<number> {
  process.on('SIGINT', () => {})
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: 'inherit', env: { K6_NO_USAGE_REPORT: 'true', ...process.env } })
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
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
