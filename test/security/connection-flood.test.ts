// As many connections as there may be, and more. Those that ask for nothing make room, the oldest first, so that who asks is served; when
// every connection is at work a new one is told to come again, and never served on the side.

import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { Connections } from '../../src/server/port/connections.ts'
import { type Listener, listen } from '../../src/server/port/listen.ts'
import { until } from '../proxy/support/pass-through.ts'
import { refusalIn } from '../support/raw-socket.ts'
import { type SlowClient, slowClient } from '../support/slow-client.ts'
import { startTlsPort } from '../support/tls-port.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

const open: Listener[] = []
const clients: SlowClient[] = []
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map((listener) => listener.close(0)))
})

/** Answers `/` at once, and `/wait` when told to. */
async function start(limits: ConstructorParameters<typeof Connections>[0]) {
  const connections = new Connections(limits)
  const waiting: (() => void)[] = []
  let served = 0
  const listener = await listen(
    {
      host: '127.0.0.1',
      port: 0,
      limits: { header: 4_096, target: 1_024 },
      timeouts: { header: 60_000, idle: 60_000, request: 60_000 },
      connections,
    },
    {
      handle: (request, response) => {
        served++
        if (request.url === '/wait') waiting.push(() => response.end('waited'))
        else response.end('served')
      },
      refuse: (_request, response) => response.end(),
      webSockets: {
        isMeant: () => true,
        handle: (_request, response) => void response.socket!.write('HTTP/1.1 101 Switching Protocols\r\n\r\nserved'),
      },
    },
  )
  open.push(listener)
  return { port: listener.address.port, connections, waiting, served: () => served }
}

async function client(port: number, bytes = ''): Promise<SlowClient> {
  const made = await slowClient(port, bytes)
  made.socket.on('error', () => {})
  clients.push(made)
  return made
}

const answered = (of: SlowClient): Promise<void> => until(() => of.text().endsWith('served'))

test('the oldest of those that never asked goes first, then the one that rests longest; who is at work stays', async () => {
  const { port, connections, waiting } = await start({ connections: 4 })
  const working = await client(port, REQUEST.replace('/', '/wait'))
  await until(() => waiting.length === 1)
  const rested = await client(port, REQUEST)
  await answered(rested)
  const rests = await client(port, REQUEST)
  await answered(rests)
  const fresh = await client(port, 'GET /never')
  await until(() => connections.open === 4)

  await answered(await client(port, REQUEST))
  await fresh.closed
  expect([working, rested, rests].map(({ isClosed }) => isClosed())).toEqual([false, false, false])

  await answered(await client(port, REQUEST))
  await rested.closed
  expect([working, rests].map(({ isClosed }) => isClosed())).toEqual([false, false])
  expect(connections.open).toBe(4)

  waiting[0]!()
  await until(() => working.text().endsWith('waited'))
})

test('a WebSocket is at work however long it says nothing, and room is made beside it', async () => {
  const { port, connections } = await start({ connections: 2 })
  const fields =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
  const webSocket = await client(port, REQUEST.replace('Host: x', `Host: x\r\n${fields}`))
  await until(() => webSocket.text().includes('101'))
  for (let count = 0; count < 5; count++) await answered(await client(port, REQUEST))
  expect(webSocket.isClosed()).toBe(false)
  expect(connections.open).toBe(2)
})

test('a thousand that never ask leave room for those that do', async () => {
  const { port, connections } = await start({ connections: 50 })
  const slow = await Promise.all(Array.from({ length: 1_000 }, () => client(port, 'GET / HTTP/1.1\r\nX: ')))
  expect(connections.open).toBeLessThanOrEqual(50)
  for (let count = 0; count < 20; count++) await answered(await client(port, REQUEST))
  await until(() => slow.filter(({ isClosed }) => isClosed()).length >= 950)
  expect(connections.open).toBeLessThanOrEqual(50)
})

test('when all are at work a new one is told to come again, and its request is not served', async () => {
  const { port, waiting, connections, served } = await start({ connections: 2 })
  for (let count = 1; count <= 2; count++) {
    await client(port, REQUEST.replace('/', '/wait'))
    await until(() => waiting.length === count)
  }
  const more = await client(port, REQUEST)
  await more.closed
  expect(refusalIn(more.text())).toBe('503 overloaded')
  expect(more.text()).toMatch(/^retry-after: 1$/m)
  expect(served()).toBe(2)
  expect(connections.open).toBe(2)

  for (const end of waiting) end()
  await answered(await client(port, REQUEST))
})

test('one address may have so many and no more, unless it is a proxy', async () => {
  const alone = await start({ connections: 100, perAddress: 3 })
  const kept = await Promise.all([1, 2, 3].map(() => client(alone.port)))
  await until(() => alone.connections.open === 3)
  const more = await client(alone.port, REQUEST)
  await more.closed
  expect(refusalIn(more.text())).toBe('503 overloaded')
  kept[0]!.socket.destroy()
  await until(() => alone.connections.open === 2)
  await answered(await client(alone.port, REQUEST))

  const proxied = await start({ connections: 100, perAddress: 3, isProxy: (address) => address === '127.0.0.1' })
  for (let count = 0; count < 10; count++) await answered(await client(proxied.port, REQUEST))
})

test('connections that end are no longer counted, however they end', async () => {
  const { port, connections } = await start({ connections: 100, perAddress: 100 })
  const all = await Promise.all(Array.from({ length: 30 }, (_, i) => client(port, i % 2 === 0 ? REQUEST : 'GET')))
  await until(() => connections.open === 30)
  for (const [index, { socket }] of all.entries()) {
    if (index % 3 === 0) socket.resetAndDestroy()
    else socket.destroy()
  }
  await until(() => connections.open === 0)
})

test('a handshake that never ends counts and goes first; a connection that was made by one counts once', async () => {
  const connections = new Connections({ connections: 2 })
  const rig = await startTlsPort({ connections, header: 60_000 })
  open.push(rig.listener)
  const ask = async (): Promise<TLSSocket> => {
    const socket = connectTls({ port: rig.port, host: '127.0.0.1', ca: rig.authority.cert })
    socket.write(REQUEST)
    await new Promise<void>((resolve) => socket.once('data', () => resolve()))
    return socket
  }
  const silent = await client(rig.port)
  const first = await ask()
  await until(() => connections.open === 2)
  const second = await ask()
  await silent.closed
  expect(first.destroyed).toBe(false)
  const third = await ask()
  await new Promise<void>((resolve) => (first.destroyed ? resolve() : first.once('close', () => resolve())))
  expect(connections.open).toBe(2)
  for (const socket of [second, third]) socket.destroy()
  await until(() => connections.open === 0)
  await rig.close()
})
