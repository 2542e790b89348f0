// One place of the admin port: a path, its methods and what answers there. Parts of the gateway bring their own places; `admin.ts`
// holds the door, so a place answers only whom the admin port lets in, and never hears of a body that was posted by a web page.

import type { IncomingMessage } from 'node:http'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import type { Document } from '../../proxy/reply.ts'
import { readBoundedText } from './bounded-text.ts'

export type AdminReply = Document | { readonly status: number; readonly json: object } | Refusal

export interface AdminPlace {
  /** Compared whole; a request's query is not part of it. */
  readonly path: string
  readonly methods: readonly string[]
  /** Answers without token or client certificate, even off loopback: health and metrics only. */
  readonly open: boolean
  answer(request: IncomingMessage): AdminReply | Promise<AdminReply>
}

type Reads = (request: IncomingMessage) => AdminReply | Promise<AdminReply>
type Writes = (body: string) => AdminReply | Promise<AdminReply>

const LARGEST_BODY = 1024 * 1024

export function readPlace(path: string, answer: Reads): AdminPlace {
  return { path, methods: ['GET', 'HEAD'], open: false, answer }
}

export function openPlace(path: string, answer: Reads): AdminPlace {
  return { ...readPlace(path, answer), open: true }
}

/** POST with a JSON body of 1 MiB at most, given as text. */
export function writePlace(path: string, answer: Writes): AdminPlace {
  return {
    path,
    methods: ['POST'],
    open: false,
    answer: async (request) => {
      const text = await readBoundedText(request, LARGEST_BODY)
      return isRefusal(text) ? text : answer(text)
    },
  }
}
