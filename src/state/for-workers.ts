// The answering side of `of-primary.ts`: in the process that started the workers, one state for all of them.

import {
  ANSWERS,
  type Channel,
  listIn,
  QUESTIONS,
  type Question,
  type Reply,
  rateOf,
  readQuestion,
} from './asking-primary.ts'
import type { SharedState } from './shared-state.ts'

/** Answers one worker until the returned function is called. */
export function answerWorker(worker: Channel, state: SharedState): () => void {
  const hear = (message: unknown): void => {
    const questions = listIn(message, QUESTIONS)
      ?.map(readQuestion)
      .filter((question) => question !== undefined)
    if (questions !== undefined && questions.length > 0) void answer(worker, state, questions)
  }
  worker.on('message', hear)
  return () => void worker.off('message', hear)
}

async function answer(worker: Channel, state: SharedState, questions: readonly Question[]): Promise<void> {
  const replies = await Promise.all(questions.map((question) => replyTo(question, state)))
  try {
    // A worker that is gone has nobody left who waits.
    worker.send?.({ [ANSWERS]: replies }, () => {})
  } catch {
    return
  }
}

async function replyTo(question: Question, state: SharedState): Promise<Reply> {
  const [id, kind, name] = question
  try {
    if (kind === 'once') return [id, await state.once(name, question[3], question[4])]
    return [id, await state.take(name, rateOf(question[3], question[4]))]
  } catch {
    return [id]
  }
}
