// A client that asks for much and takes it slowly, or not at all, to hold a place at the upstream and memory here. It is cut off, what it
// held is free again, and of the upstream's answer no more was read than fits in the buffers between.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { until } from '../proxy/support/pass-through.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'
import { type SlowClient, slowClient } from '../support/slow-client.ts'

const MIB = 2 ** 20

let rig: Rig
let credential: string
/** Bytes that the upstream could write, and whether its last answer was broken off. */
let written = 0
let brokenOff = false
beforeAll(async () => {
  rig = await startRig({
    map: fhirMap({
      server: 'timeouts: { idle: 1500ms, minimumRate: 8MiB }',
      more: `
  - { name: files, upstream: store, match: { "GET /files/{id}": files.read } }
scopes: { App: { files.read: { description: Read., credentials: [oauth2] } } }
`,
    }),
  })
  credential = `Authorization: Bearer ${await rig.token('files.read')}`
})
afterAll(() => rig.close())
beforeEach(() => {
  written = 0
  brokenOff = false
  rig.upstream.raw = (_request, response) => {
    const more = (): void => {
      while (!response.destroyed) {
        written += 65_536
        if (!response.write(Buffer.alloc(65_536))) break
      }
    }
    response.on('drain', more).on('close', () => {
      brokenOff = !response.writableFinished
    })
    more()
  }
})

const ask = (): Promise<SlowClient> => slowClient(rig.port, `GET /files/1 HTTP/1.1\r\nHost: x\r\n${credential}\r\n\r\n`)

test('one that reads nothing is cut off, and the upstream is let go', async () => {
  const client = await ask()
  client.socket.pause()
  await until(() => brokenOff)
  expect(written).toBeLessThan(64 * MIB)
  client.socket.on('error', () => {}).resume()
  await client.closed
})

test('one that reads a little now and then is cut off too', async () => {
  const client = await ask()
  client.socket.on('error', () => {})
  // Enough for the gateway to write on before it has stalled for as long as `idle`, but far from the least rate.
  client.socket.on('data', () => client.socket.pause())
  const reading = setInterval(() => client.socket.resume(), 25)
  client.socket.pause()
  await until(() => brokenOff)
  clearInterval(reading)
  client.socket.destroy()
})

test('one that reads on is served for longer than every timeout', async () => {
  const client = await ask()
  await until(() => client.bytes() > 256 * MIB)
  expect(brokenOff).toBe(false)
  client.socket.destroy()
  await until(() => brokenOff)
})
