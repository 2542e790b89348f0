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

test('page after page, none of which is read', async () => {
  const client = await slowClient(rig.port)
  client.socket.on('error', () => {}).pause()
  let asked = 0
  const asking = setInterval(() => {
    client.socket.write('GET /scopes/ HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10))
    asked += 10
  }, 2)
  // The operating system buffers some megabytes on the way; then nothing moves any more.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  clearInterval(asking)
  client.socket.resume()
  await client.closed
  const page = (await rig.ask('GET /scopes/')).text.length
  expect(client.bytes()).toBeLessThan(asked * page)
})

test('a connection that rests is closed after the idle time, without an answer to nothing', async () => {
  const client = await slowClient(rig.port, 'GET /scopes.json HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.closed
  expect(client.text().match(/HTTP\/1\.1/g)).toHaveLength(1)
})
