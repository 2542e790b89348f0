// `demo`: up within seconds, the lines that it prints do what they say, and Ctrl-C leaves nothing behind. Runs the printed lines
// in a shell, so it needs `curl`; without it the test is skipped, except where CI is set.

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { CHECKOUT, endCommands, isOpen, runCommand, startCommand } from '../support/command.ts'
import { DEMO_PORTS, freeShift } from '../support/demo-ports.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0
if (!hasCurl) console.warn('SKIPPED: the lines that the demo prints are not run, because curl is not installed')

// Several processes one after the other, each of which loads the whole gateway.
vi.setConfig({ testTimeout: 60_000 })

afterAll(endCommands)

test.skipIf(!hasCurl && process.env['CI'] === undefined)(
  'the printed lines do what they say; Ctrl-C ends everything',
  async () => {
    const shift = await freeShift()
    const demo = startCommand(['demo', '--ports', String(shift)])
    await demo.prints(/Metrics: .*\n/)
    const lines = demo
      .printed()
      .split('\n')
      .map((line) => line.trim())
    const printed = (start: string): string[] => lines.filter((line) => line.startsWith(start))
    const [token = ''] = printed('TOKEN=')
    const [allowed = '', refused = '', byKey = ''] = printed('curl -si')
    const [explain = ''] = printed('curl -s ')
    const [offline = ''] = printed('npm run')

    const [letThrough, told] = [allowed, refused].map((line) => shell(`${token}\n${line}`))
    expect(letThrough).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(letThrough).toMatch(/"resourceType":"Observation".*"reference":"Patient\/5"/)
    expect(letThrough).not.toContain(`:${8100 + shift}`)
    expect(told).toMatch(/^HTTP\/1\.1 403 Forbidden/)
    expect(told).toMatch(/scope="user\/Condition\.s"/)
    expect(JSON.parse(shell(explain))).toMatchObject({
      permitted: false,
      missing: ['Condition.s'],
      refusal: { code: 'scope-insufficient', scopes: ['user/Condition.s'] },
    })
    expect(shell(byKey)).toMatch(/^HTTP\/1\.1 200 OK/)
    // What `npm run scopegate --` stands for, without npm.
    const words = shell(offline.replace(/^npm run --silent scopegate --/, `printf '%s\\n'`))
      .trim()
      .split('\n')
    const { code, out } = await runCommand(words)
    expect([code, out]).toEqual([3, expect.stringContaining('would do     user/Condition.s')])

    const [metrics = '', discovery = ''] = /Metrics: (\S+) +Discovery: (\S+)/.exec(demo.printed())!.slice(1)
    expect(shell(`curl -s ${metrics}`)).toContain(
      'scopegate_requests_total{route="nexus-r4",interaction="search-type",outcome="forward",status="200"} 1',
    )
    expect(JSON.parse(shell(`curl -s ${discovery}`))).toMatchObject({
      token_endpoint: `http://127.0.0.1:${8089 + shift}/token`,
    })

    demo.process.kill('SIGINT')
    expect((await demo.ended).code).toBe(0)
    expect(await Promise.all(DEMO_PORTS.map((port) => isOpen(port + shift)))).not.toContain(true)
  },
)

test('a port that is taken ends the demo, and everything that it had opened', async () => {
  const shift = await freeShift()
  for (const port of [8080 + shift, 8105 + shift]) {
    const taken = createServer().listen(port, '127.0.0.1')
    await new Promise((listening) => taken.once('listening', listening))
    const { code, err } = await runCommand(['demo', '--ports', String(shift)])
    expect([code, err.trim()]).toEqual([
      1,
      `127.0.0.1:${port} is in use. Stop what listens there, or choose another address. (--ports N adds N to every port)`,
    ])
    await new Promise((closed) => taken.close(closed))
  }
  expect(await Promise.all(DEMO_PORTS.map((port) => isOpen(port + shift)))).not.toContain(true)
})

test('`npm run demo` is this command', () => {
  const { scripts } = JSON.parse(readFileSync(resolve(CHECKOUT, 'package.json'), 'utf8'))
  expect([scripts.demo, scripts.scopegate]).toEqual(['node src/main.ts demo', 'node src/main.ts'])
})

function shell(script: string): string {
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' })
}
