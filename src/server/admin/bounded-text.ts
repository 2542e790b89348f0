// A request body as text, up to a size. For the admin port; the public port's bodies are `proxy/request-body.ts`'s.

import type { IncomingMessage } from 'node:http'
import { type Refusal, refuse } from '../../domain/refusal.ts'

export async function readBoundedText(request: IncomingMessage, most: number): Promise<string | Refusal> {
  const tooLarge = refuse('body-too-large', `The body may have ${most} bytes at most.`)
  if (Number(request.headers['content-length'] ?? 0) > most) return tooLarge
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop must not destroy the request: its connection still carries the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length
    if (size > most) return tooLarge
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}
