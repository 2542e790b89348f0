// Workers that are real processes, and the primary that counts for all of them: together never more than the rate, and closed when it
// is silent or gone.

import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Channel } from '../../src/state/asking-primary.ts'
import { answerWorker } from '../../src/state/for-workers.ts'
import { InProcessState } from '../../src/state/in-process.ts'
import { StateOfPrimary } from '../../src/state/of-primary.ts'
import type { SharedState } from '../../src/state/shared-state.ts'

const workers: ChildProcess[] = []
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL')
})

type Told = (boolean | string)[]

async function startWorker(timeout: number) {
  const child = fork(join(import.meta.dirname, 'support/worker.mjs'), [String(timeout)])
  workers.push(child)
  const hears = <Message>(key: string) =>
    new Promise<Message>((resolve, reject) => {
      const hear = (message: unknown): void => {
        if (!Object.hasOwn(message as object, key)) return
        child.off('message', hear)
        resolve(Reflect.get(message as object, key) as Message)
      }
      child.on('message', hear)
      child.once('exit', () => reject(new Error('the worker ended')))
    })
  await hears('ready')
  return {
    child,
    asks: (go: readonly string[], once = false): Promise<Told> => {
      const told = hears<Told>('told')
      child.send({ go, once })
      return told
    },
  }
}

test('two workers together get what one rate lets through', async () => {
  const state = new InProcessState()
  const [a, b] = await Promise.all([startWorker(10_000), startWorker(10_000)])
  for (const { child } of [a, b]) answerWorker(child, state)
  const asked = Array.from({ length: 8 }, () => 'bucket')
  const told = (await Promise.all([a.asks(asked), b.asks(asked)])).flat()
  expect(told.filter((allowed) => allowed === true)).toHaveLength(5)
  expect(told.filter((allowed) => allowed === false)).toHaveLength(11)
  expect(await b.asks(['another'])).toEqual([true])
})

test('what may be used once is used by one worker', async () => {
  const state = new InProcessState()
  const [a, b] = await Promise.all([startWorker(10_000), startWorker(10_000)])
  for (const { child } of [a, b]) answerWorker(child, state)
  const told = (await Promise.all([a.asks(['m', 'm'], true), b.asks(['m', 'm'], true)])).flat()
  expect(told.filter((first) => first === true)).toHaveLength(1)
})

test('whose mark it is crosses, too', async () => {
  const worker = await startWorker(10_000)
  answerWorker(worker.child, new InProcessState({ marks: 8 }))
  const marks = ['a', 'b', 'c', 'd', 'e'].map((name) => `greedy ${name}`)
  expect(await worker.asks(marks, true)).toEqual([true, true, true, true, 'the primary has no answer'])
  expect(await worker.asks(['other a', 'greedy f'], true)).toEqual([true, 'the primary has no answer'])
})

test('a primary that says nothing, or no longer answers, lets nobody through', async () => {
  const worker = await startWorker(500)
  expect(await worker.asks(['x', 'y'])).toEqual(Array(2).fill('the primary did not answer in time'))
  const stop = answerWorker(worker.child, new InProcessState())
  expect(await worker.asks(['x'])).toEqual([true])
  stop()
  expect(await worker.asks(['x'])).toEqual(['the primary did not answer in time'])
})

test('what the primary cannot count is a rejection, not a yes', async () => {
  const broken: SharedState = {
    take: () => Promise.reject(new Error('no store')),
    once: () => {
      throw new Error('no store')
    },
  }
  const worker = await startWorker(10_000)
  answerWorker(worker.child, broken)
  expect(await worker.asks(['x'])).toEqual(['the primary has no answer'])
  expect(await worker.asks(['x'], true)).toEqual(['the primary has no answer'])
})

/** A channel in this process: what is sent is kept, answers are given by hand. */
function channel(send?: Channel['send']) {
  let hear: (message: unknown) => void = () => {}
  const sent: unknown[] = []
  const made: Channel = {
    send:
      send ??
      ((message) => {
        sent.push(message)
        return true
      }),
    on: (_, listener) => {
      hear = listener
    },
    off: () => undefined,
  }
  return { made, sent, answers: (message: unknown) => hear(message) }
}

test('all questions of one turn go in one message', async () => {
  const { made, sent } = channel()
  const state = new StateOfPrimary({ channel: made })
  const asked = [state.take('a', { requests: 1, per: 1_000 }), state.once('m', 5), state.once('m', 5, 'me')]
  await Promise.resolve()
  expect(sent).toEqual([
    {
      'scopegate:state-questions': [
        [1, 'take', 'a', 1, 1_000],
        [2, 'once', 'm', 5],
        [3, 'once', 'm', 5, 'me'],
      ],
    },
  ])
  state.close()
  for (const answer of asked) await expect(answer).rejects.toThrow(/no longer asked/)
})

test.each([
  ['a text', '1'],
  ['another kind', { other: [[1, true]] }],
  ['no list', { 'scopegate:state-answers': 1 }],
  ['a stranger to the question', { 'scopegate:state-answers': [[99, true]] }],
])('a message that is no answer is left alone: %s', async (_, message) => {
  const { made, answers } = channel()
  const state = new StateOfPrimary({ channel: made })
  const asked = state.once('m', 5)
  answers(message)
  answers({ 'scopegate:state-answers': [[1, false]] })
  expect(await asked).toBe(false)
})

test.each([
  ['half an answer', [1, { allowed: true }]],
  ['something else', [1, 'yes']],
  ['nothing', [1]],
])('an answer that cannot be read is a rejection: %s', async (_, reply) => {
  const { made, answers } = channel()
  const state = new StateOfPrimary({ channel: made })
  const asked = state.take('a', { requests: 1, per: 1_000 })
  answers({ 'scopegate:state-answers': [reply] })
  await expect(asked).rejects.toThrow(/no answer/)
})

test.each([
  [
    'throws',
    () => {
      throw new Error('closed')
    },
  ],
  [
    'fails',
    (_: unknown, done?: (error: Error | null) => void) => {
      done?.(new Error('closed'))
      return false
    },
  ],
])('a channel that %s rejects at once', async (_, send) => {
  const state = new StateOfPrimary({ channel: channel(send as Channel['send']).made })
  await expect(state.once('m', 5)).rejects.toThrow(/cannot be asked/)
})

test('a process without a primary rejects', async () => {
  const state = new StateOfPrimary({ channel: { on: () => undefined, off: () => undefined } })
  await expect(state.once('m', 5)).rejects.toThrow(/no primary/)
})

test('questions that nobody answers do not pile up without end', async () => {
  const { made } = channel()
  const state = new StateOfPrimary({ channel: made })
  const asked = Array.from({ length: 10_001 }, () => state.once('m', 5))
  await expect(asked.at(-1)).rejects.toThrow(/too many questions/)
  state.close()
  expect((await Promise.allSettled(asked)).every(({ status }) => status === 'rejected')).toBe(true)
})
