import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

const script = (code: string): string => `
import { createLog } from ${JSON.stringify(`${import.meta.dirname}/../../src/observability/logger.ts`)}
const log = createLog()
${code}`

async function run(code: string, close = false): Promise<{ output: string; status: number | null }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script(code)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  if (close) child.stdout.destroy()
  else for await (const chunk of child.stdout) output += chunk
  const [status] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
  return { output, status }
}

test('lines of both ways come out in order, and none is lost at exit', async () => {
  const { output, status } = await run(`
    for (let i = 0; i < 2000; i++) i % 2 ? log.line('{"n":' + i + '}\\n') : log.logger.info({ n: i })
    process.exit(0)`)
  expect(status).toBe(0)
  expect(
    output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).n),
  ).toEqual(Array.from({ length: 2000 }, (_, i) => i))
})

test('a log that nobody reads any more does not end the process', async () => {
  const { status } = await run(
    `
    let rounds = 0
    const timer = setInterval(() => {
      for (let i = 0; i < 1000; i++) log.line('{"n":' + i + '}\\n')
      if (++rounds === 20) { clearInterval(timer); log.flush(); process.exitCode = 7 }
    }, 5)`,
    true,
  )
  expect(status).toBe(7)
})
