// Finds k6, or builds it: on PATH, then where an earlier run left it in .cache/, then by Go.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const VERSION = 'v1.8.1'
const NEEDS_GO = '1.25'
/** Older ones lack what the scenarios use. */
const OLDEST_MAJOR = 1
const FOLDER = fileURLToPath(new URL(`../../.cache/k6/${VERSION}/`, import.meta.url))

/** The command to call. Throws with what to do when there is none and none can be built. */
export async function provideK6(): Promise<string> {
  const installed = majorOf('k6')
  if (installed !== undefined && installed >= OLDEST_MAJOR) return 'k6'
  if (installed !== undefined) console.error(`The installed k6 is older than ${OLDEST_MAJOR}.0 and is not used.`)
  const built = `${FOLDER}${process.platform === 'win32' ? 'k6.exe' : 'k6'}`
  if (!existsSync(built)) await buildByGo()
  return built
}

/** Undefined when the command is not there. */
function majorOf(command: string): number | undefined {
  const { status, stdout } = spawnSync(command, ['version'], { encoding: 'utf8' })
  const major = status === 0 ? /^k6(?:\.exe)? v(\d+)\./.exec(stdout)?.[1] : undefined
  return major === undefined ? undefined : Number(major)
}

async function buildByGo(): Promise<void> {
  const advice = `Install k6 ${OLDEST_MAJOR}.0 or newer so that \`k6 version\` works, or Go ${NEEDS_GO} or newer so that it can be built here.`
  if (spawnSync('go', ['version']).status !== 0) throw new Error(`There is neither k6 nor Go. ${advice}`)
  console.error(`k6 is not installed: building k6 ${VERSION} by Go, once; this takes some minutes …`)
  const failure = await goInstall()
  if (failure !== undefined) throw new Error(`k6 ${VERSION} could not be built:\n${failure}\n${advice}`)
}

/** Undefined when it was built; otherwise what Go said last. */
function goInstall(): Promise<string | undefined> {
  const env = { ...process.env, GOBIN: FOLDER, CGO_ENABLED: '0' }
  return new Promise((resolve) => {
    const go = spawn('go', ['install', '-v', `go.k6.io/k6@${VERSION}`], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const said: string[] = []
    const began = Date.now()
    const tick = setInterval(() => {
      const modules = said.filter((line) => line.startsWith('go: downloading')).length
      const seconds = Math.round((Date.now() - began) / 1000)
      console.error(`  ${seconds} s: ${modules} modules fetched, ${said.length - modules} packages compiled`)
    }, 15_000)
    go.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => said.push(...text.split('\n').filter((line) => line !== '')))
    go.once('error', (error) => said.push(error.message))
    go.once('close', (code) => {
      clearInterval(tick)
      resolve(code === 0 ? undefined : said.slice(-5).join('\n'))
    })
  })
}
