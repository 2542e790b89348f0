// WebSockets in a soak: each is opened, hears an answer to each of some messages, and is closed by its client, or left open until a
// reload that changes its upstream ends it (1012). The server behind the gateway answers each piece by one message.

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket } from 'undici'
import type { Count } from './load.ts'
import type { World } from './world.ts'

const MESSAGES = 20
const LONGEST_MS = 10_000
/** RFC 6455 §7.4.1, and of the gateway's own: the route has changed. */
const EXPECTED = [1000, 1012]

/** For the server's `upgrade`. */
export function answerWebSocket({ headers }: IncomingMessage, socket: Duplex): void {
  const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  socket.write(['HTTP/1.1 101 Switching Protocols', ...fields, '', ''].join('\r\n'))
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  socket.on('data', (chunk: Buffer) => {
    const isClose = (chunk[0]! & 15) === 8
    if (isClose) socket.end(Buffer.from([0x88, 2, 0x03, 0xe8]))
    else socket.write(Buffer.from([0x81, 2, 0x6f, 0x6b]))
  })
}

/** One after the other, until `running` says no. */
export async function runWebSockets(port: number, world: World, running: () => boolean, count: Count): Promise<void> {
  for (let n = 0; running(); n++) {
    const authorization = `Bearer ${await world.token('flaky.read')}`
    const code = await talk(`ws://127.0.0.1:${port}/live`, authorization, n % 2 === 0)
    count(`socket ${code}`, EXPECTED.includes(code))
    await wait(20)
  }
}

/** Resolves with the status of its end; 0 where it was never opened. */
function talk(url: string, authorization: string, leaves: boolean): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { headers: { authorization } })
    let heard = 0
    const longest = setTimeout(() => socket.close(1000), LONGEST_MS)
    socket.addEventListener('open', () => socket.send('hello'))
    socket.addEventListener('message', () => {
      if (++heard < MESSAGES) socket.send('hello')
      else if (leaves) socket.close(1000)
    })
    socket.addEventListener('error', () => {
      if (heard === 0) resolve(0)
    })
    socket.addEventListener('close', ({ code }) => {
      clearTimeout(longest)
      resolve(code)
    })
  })
}
