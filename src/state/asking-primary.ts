// What a worker and the process that started it say to each other about shared state, over the channel that node:child_process gives
// them: lists of questions one way, lists of answers the other, so that one message serves all requests of one turn of the loop.
// INVARIANT: what is no such message is left to others; a question that cannot be read has no answer, so whoever asked refuses.

import type { Rate, Taken } from './shared-state.ts'

export const QUESTIONS = 'scopegate:state-questions'
export const ANSWERS = 'scopegate:state-answers'

export type Question =
  | readonly [id: number, kind: 'take', bucket: string, requests: number, per: number]
  | readonly [id: number, kind: 'once', mark: string, milliseconds: number, owner?: string]

/** Undefined: there is no answer to be had. */
export type Reply = readonly [id: number, answer?: Taken | boolean]

/** Of a process on either side: `process`, a ChildProcess or a cluster Worker. */
export interface Channel {
  send?(message: unknown, done?: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

export function listIn(message: unknown, kind: string): readonly unknown[] | undefined {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, kind)) return undefined
  const list: unknown = Reflect.get(message, kind)
  return Array.isArray(list) ? list : undefined
}

export function readQuestion(given: unknown): Question | undefined {
  if (!Array.isArray(given)) return undefined
  const [id, kind, name, first, second] = given as unknown[]
  if (typeof id !== 'number' || typeof name !== 'string' || !isPositive(first)) return undefined
  if (kind === 'once') return typeof second === 'string' ? [id, kind, name, first, second] : [id, kind, name, first]
  return kind === 'take' && isPositive(second) ? [id, kind, name, first, second] : undefined
}

export function readReply(given: unknown): Reply | undefined {
  if (!Array.isArray(given)) return undefined
  const [id, answer] = given as unknown[]
  if (typeof id !== 'number') return undefined
  return typeof answer === 'boolean' || isTaken(answer) ? [id, answer] : [id]
}

export const rateOf = (requests: number, per: number): Rate => ({ requests, per })

function isTaken(value: unknown): value is Taken {
  if (typeof value !== 'object' || value === null) return false
  const { allowed, remaining, retryAfter } = value as Record<string, unknown>
  return typeof allowed === 'boolean' && typeof remaining === 'number' && typeof retryAfter === 'number'
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}
