// What the README shows is so: its route maps are valid as they stand there, and its commands print what it says they print.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadRouteMap } from '../src/config/load.ts'
import { CHECKOUT, endCommands, runCommand } from './support/command.ts'

const text = readFileSync(resolve(CHECKOUT, 'README.md'), 'utf8')
const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
  language,
  body,
}))

afterAll(endCommands)

describe('route maps', () => {
  const maps = blocks.filter(({ language }) => language === 'yaml').map(({ body }) => body)

  test('there are some', () => expect(maps.length).toBeGreaterThan(1))

  test.each(maps)('%#', (map) => {
    const loaded = loadRouteMap(map, { file: 'routes.yaml', env: {} })
    expect('problems' in loaded ? loaded.problems : []).toEqual([])
    expect(loaded.warnings).toEqual([])
  })
})

test('explain prints what stands there', async () => {
  const { body } = blocks.find((block) => block.body.includes('scopegate -- explain'))!
  const [, command = '', output = ''] = /^\$ npm run --silent scopegate -- (.*?)\n(permitted.*)/s.exec(body)!
  const words = execFileSync('bash', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
  const { code, out } = await runCommand(words)
  expect([code, out.trim()]).toEqual([0, output.trim()])
})
