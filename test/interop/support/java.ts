// Programs of the JVM for tests: jars by Maven, once, into a folder that git ignores; sources run by the launcher of the JDK. Where Java
// or Maven is missing the tests are skipped with a loud line, unless CI asks for them.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const CHECKOUT = resolve(import.meta.dirname, '../../..')
const CACHE = join(CHECKOUT, '.cache/interop')

export interface JavaProgram {
  readonly process: ChildProcess
  printed(): string
  /** The first match in what is printed. */
  prints(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray>
  end(): Promise<void>
}

/** Whether these tests can and shall run here: `npm run test:interop` sets INTEROP. */
export function runsInterop(): boolean {
  if (process.env['INTEROP'] === undefined) return false
  const missing = ['java', 'mvn'].filter((command) => spawnSync(command, ['-version']).status !== 0)
  if (missing.length === 0) return true
  const line = `test:interop needs ${missing.join(' and ')} (a JDK of 17 or newer, and Maven)`
  if (process.env['CI'] !== undefined) throw new Error(line)
  console.warn(`SKIPPED: ${line}`)
  return false
}

/** The jars of a pom beside the source, fetched when the pom is new. */
export function fetchJars(folder: string): string {
  const pom = join(CHECKOUT, 'test/interop', folder, 'pom.xml')
  const jars = join(CACHE, folder)
  const stamp = join(jars, 'fetched.xml')
  const text = readFileSync(pom, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return jars
  mkdirSync(jars, { recursive: true })
  const words = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
  const { status, stdout, stderr } = spawnSync('mvn', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Maven could not fetch what ${folder} needs:\n${stdout}${stderr}`)
  writeFileSync(stamp, text)
  return jars
}

export function startJava(folder: string, source: string, flags: readonly string[] = []): JavaProgram {
  const jars = fetchJars(folder)
  const file = join(CHECKOUT, 'test/interop', folder, source)
  const child = spawn('java', [...flags, '-cp', join(jars, '*'), file], {
    cwd: jars,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let wake = (): void => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk
      wake()
    })
  }
  const ended = new Promise<void>((resolveEnd) => child.on('close', () => resolveEnd()))
  return {
    process: child,
    printed: () => text,
    prints: (pattern, milliseconds) =>
      new Promise((found, missed) => {
        const fail = (why: string): void => missed(new Error(`${source} ${why}:\n${text.slice(-4_000)}`))
        const timer = setTimeout(() => fail('took too long'), milliseconds)
        wake = () => {
          const match = pattern.exec(text)
          if (match === null) return
          clearTimeout(timer)
          found(match)
        }
        void ended.then(() => fail('ended'))
        wake()
      }),
    end: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
