// `slow-attack.ts PORT CONNECTIONS`: as many connections as told, each of which begins a request's header fields and never ends them. One
// that is closed is opened again, as an attacker would. Tells its parent once a second how many are open and how many were answered 408.

import { connect } from 'node:net'

const port = Number(process.argv[2])
const connections = Number(process.argv[3])
/** Opened in each round of 20 ms, so that the operating system's queue of new connections does not overflow by itself. */
const AT_ONCE = 100

let open = 0
let wanted = connections
let answered = 0
let failed = 0

function begin(): void {
  let connected = false
  const socket = connect(port, '127.0.0.1', () => {
    connected = true
    open++
    socket.write('GET /fhir/R4/Patient HTTP/1.1\r\nHost: slow.test\r\nX-Slow: ')
  })
  socket.on('data', (chunk) => {
    if (chunk.includes(' 408 ')) answered++
  })
  socket.on('error', () => {
    if (!connected) failed++
  })
  socket.on('close', () => {
    if (connected) open--
    wanted++
  })
}

setInterval(() => {
  for (let count = 0; count < AT_ONCE && wanted > 0; count++) {
    wanted--
    begin()
  }
}, 20)
setInterval(() => process.send?.({ open, answered, failed }), 500)
process.on('disconnect', () => process.exit(0))
