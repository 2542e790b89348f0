// Upstreams over a reload: what stays the same keeps its connections, its health and its counts; what changed is another, and the old
// one ends with its last generation, its health checks too.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/settings.ts'
import { createLog } from '../../src/observability/logger.ts'
import type { Upstream } from '../../src/proxy/upstream.ts'
import { Generations } from '../../src/server/generations/generations.ts'
import { createLasting } from '../../src/server/generations/lasting.ts'
import { startUpstream, until } from '../proxy/support/pass-through.ts'
import { makeAuthority } from '../support/certificates.ts'

const log = createLog({ level: 'silent', destination: { write: () => {} } })
const lasting = createLasting({ sealKeys: ['a secret of this test'] })
let generations: Generations
afterEach(async () => {
  await generations.close()
  expect(lasting.keeper.size).toBe(0)
})

function settingsOf(upstreams: string, route = ''): Settings {
  const map = `version: 1
server: { listen: 127.0.0.1:0, publicUrl: http://gateway.test }
upstreams:
${upstreams}
routes:
  - { name: a, upstream: a, match: { GET /a: public } ${route} }
`
  const loaded = loadRouteMap(map, { file: 'routes.yaml', env: {} })
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  return loaded.settings
}

async function apply(settings: Settings): Promise<Upstream> {
  const next = await generations.prepare(settings)
  generations.apply(next)
  return next.composed.upstreams.get('a')!
}

function begin(): void {
  generations = new Generations({ lasting, record: () => {}, opening: { log } })
}

test('the same settings: the same upstream, whatever else changed', async () => {
  begin()
  const first = await apply(settingsOf('  a: { url: http://127.0.0.1:1 }'))
  const second = await apply(
    settingsOf(
      '  a: { url: http://127.0.0.1:1 }\n  b: { url: http://127.0.0.1:2 }',
      ', rateLimit: { requests: 9, per: 1s }',
    ),
  )
  expect(second).toBe(first)
  await until(() => generations.retiring === 0)
  expect(await apply(settingsOf('  a: { url: http://127.0.0.1:1, timeout: 1s }'))).not.toBe(first)
})

test('a TLS file that changed: another upstream', async () => {
  begin()
  const file = join(mkdtempSync(join(tmpdir(), 'kept-')), 'ca.pem')
  writeFileSync(file, makeAuthority('one').cert)
  const settings = settingsOf(`  a: { url: "https://127.0.0.1:1", tls: { ca: "${file}" } }`)
  const first = await apply(settings)
  expect(await apply(settings)).toBe(first)
  writeFileSync(file, makeAuthority('two').cert)
  const renewed = await apply(settings)
  expect(renewed).not.toBe(first)
  writeFileSync(file, 'half a fi')
  await expect(generations.prepare(settings)).rejects.toThrow('holds no certificate')
  expect(generations.current!.composed.upstreams.get('a')).toBe(renewed)
})

test('health checks go on over a reload, and end with the last generation that uses them', async () => {
  begin()
  let checks = 0
  const { url } = await startUpstream((_request, response) => {
    checks++
    response.end()
  })
  const checked = `  a: { url: "${url}", health: { path: /healthz, interval: 10ms } }`
  await apply(settingsOf(checked))
  await apply(settingsOf(checked, ', rateLimit: { requests: 9, per: 1s }'))
  await until(() => generations.retiring === 0)
  const before = checks
  await until(() => checks > before + 2)
  await apply(settingsOf('  a: { url: http://127.0.0.1:1 }'))
  await until(() => generations.retiring === 0)
  const after = checks
  await new Promise((later) => setTimeout(later, 40))
  expect(checks).toBeLessThanOrEqual(after + 1)
})
