// A route map that knows no issuer: keys are the only credentials, and the key file may come later than the gateway.

import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { keyFileOf, temporaryDirectory, testKey } from '../credentials/api-keys/support.ts'
import { verdictOf } from '../support/http-client.ts'
import { startRig } from '../support/rig.ts'

const MAP = (upstream: string, file: string): string => `
version: 1
server: { listen: "127.0.0.1:0", admin: { listen: "127.0.0.1:0", token: admin-secret }, publicUrl: https://api.example.org }
apiKeys: { file: ${JSON.stringify(file)} }
upstreams:
  store: { url: "${upstream}/base" }
scopes:
  Products:
    data.read: { credentials: [api-key] }
routes:
  - { name: r4, fhir: R4, path: /fhir/R4, upstream: store, grants: { data.read: "system/*.rs" } }
  - { name: data, upstream: store, match: GET /data, requires: data.read }
`

test('it starts without keys, says so, and takes them when they come', async () => {
  const directory = temporaryDirectory()
  const file = directory.path('later.yaml')
  const now = Math.floor(Date.now() / 1000)
  const { secret, key } = testKey('api-key', { created: now, expires: now + 60, scopes: ['data.read'] })
  const rig = await startRig({ map: ({ upstream }) => MAP(upstream, file) })
  try {
    const headers = { 'X-API-Key': secret }
    const verdict = async (line: string) => verdictOf(await rig.ask(line, { headers }))
    expect(await verdict('GET /data')).toBe('401 token-invalid')
    expect(rig.log()).toContain('no key counts until it appears')
    writeFileSync(file, keyFileOf([key]))
    await expect.poll(() => verdict('GET /data'), { timeout: 5_000 }).toBe('200')
    expect(await verdict('GET /fhir/R4/Observation/o1')).toBe('200')
    expect(await verdict('DELETE /fhir/R4/Observation/o1')).toBe('403 scope-insufficient')
    expect(verdictOf(await rig.ask('GET /data', { token: 'a.b.c' }))).toBe('401 token-invalid')

    expect(verdictOf(await rig.askAdmin('GET /keys'))).toBe('401 token-missing')
    const { json } = await rig.askAdmin('GET /keys', { headers: { authorization: 'Bearer admin-secret' } })
    expect(json.keys).toEqual([expect.objectContaining({ id: key.id, status: 'active' })])
  } finally {
    await rig.close()
    directory.remove()
  }
})

test('a key file that cannot be used keeps the gateway from starting', async () => {
  const directory = temporaryDirectory()
  const file = directory.write('broken.yaml', 'version: 1\nkeys: no\n')
  await expect(startRig({ map: ({ upstream }) => MAP(upstream, file) })).rejects.toThrow(`${file}:2:7: expected a list`)
  directory.remove()
})
