// Connections on their way from the primary to a worker. node:cluster keeps each open until the worker says that it has it; when the
// worker dies in that moment, nobody closes it, its client waits for ever, and the primary has a socket less (seen on Node 24.21).
// So the messages of node:cluster are watched from beside, and what a dead worker never took is closed.

import type { Worker } from 'node:cluster'

interface Handle {
  close(): void
}

interface ClusterMessage {
  readonly cmd?: string
  readonly act?: string
  readonly seq?: number
  readonly ack?: number
}

/** Before the worker is given its first connection. Where Node says it otherwise some day, nothing is closed here. */
export function closeWhatIsNotTaken({ process: child }: Worker): void {
  const onTheWay = new Map<number, Handle>()
  const send = child.send as (message: ClusterMessage, handle?: Handle, ...rest: unknown[]) => boolean
  const watched: typeof send = (message, handle, ...rest) => {
    if (message.act === 'newconn' && message.seq !== undefined && handle) onTheWay.set(message.seq, handle)
    return send.call(child, message, handle, ...rest)
  }
  child.send = watched as typeof child.send
  child.on('internalMessage', ({ ack }: ClusterMessage) => {
    if (ack !== undefined) onTheWay.delete(ack)
  })
  child.once('exit', () => {
    for (const handle of onTheWay.values()) handle.close()
    onTheWay.clear()
  })
}
