// Opening and closing the demo's servers: a port that is taken is said by number, with the way out.

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export async function listenOn(server: Server, port: number, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(explain(error, host, port))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new Error(
      `port ${port} on ${host} is already in use: stop what listens there, or shift every port of the demo with --ports N (port ${port} becomes ${port} + N)`,
      { cause: error },
    )
  }
  return error
}

/** Also ends connections that are kept alive, so that a demo or a test stops at once. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
