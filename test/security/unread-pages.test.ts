// The gateway's own documents are open to everyone, so anyone may ask for many and take none. Such a connection is closed when nothing has
// moved for the idle time.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'
import { slowClient } from '../support/slow-client.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ server: 'timeouts: { header: 30s, idle: 500ms }' }) })
})
afterAll(() => rig.close())

test('page after page, asked for without end, and none is read', async () => {
  const client = await slowClient(rig.port)
  client.socket.on('error', () => {}).pause()
  let asked = 0
  // The operating system buffers some megabytes both ways; then nothing moves any more, and after the idle time it is over.
  while (!client.isClosed()) {
    if (!client.socket.writableNeedDrain) {
      client.socket.write('GET /scopes/ HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000))
      asked += 1_000
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  // Requests that are read ahead of their answers lie in memory; before that was stopped, this never ended.
  expect(asked).toBeLessThan(500_000)
  expect((await rig.ask('GET /scopes/')).status).toBe(200)
})

test('a connection that rests is closed after the idle time, without an answer to nothing', async () => {
  const client = await slowClient(rig.port, 'GET /scopes.json HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.closed
  expect(client.text().match(/HTTP\/1\.1/g)).toHaveLength(1)
})
