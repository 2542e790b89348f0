// Who is broken off, and who never.

import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { beforeEach, expect, test } from 'vitest'
import { UntakenAnswers } from '../../src/proxy/untaken-answers.ts'

let now = 0
let answers: UntakenAnswers
beforeEach(() => {
  now = 0
  answers = new UntakenAnswers(100, () => now)
})

class Answer extends EventEmitter {
  writableLength: number
  destroyed = false
  readonly socket = null

  constructor(bytes: number) {
    super()
    this.writableLength = bytes
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }

  hold(): this {
    answers.hold(this as unknown as ServerResponse)
    return this
  }
}

const hold = (bytes: number): Answer => new Answer(bytes).hold()

test('what is taken is no longer counted', () => {
  const one = hold(60)
  expect(answers.held).toBe(60)
  one.emit('close')
  expect(answers.held).toBe(0)
  hold(0)
  expect(answers.held).toBe(0)
})

test('an answer that goes on counts with what it has left', () => {
  const one = hold(60)
  one.writableLength = 20
  one.hold()
  expect(answers.held).toBe(20)
  one.emit('close')
  expect(answers.held).toBe(0)
})

test('over the limit those go that had time, the oldest first', () => {
  const [first, second, third] = [hold(40), hold(40), hold(40)]
  expect(first.destroyed).toBe(false)
  now = 3_000
  const late = hold(40)
  expect([first, second, third, late].map(({ destroyed }) => destroyed)).toEqual([true, true, false, false])
  expect(answers.held).toBe(80)
})

test('many at once get time, up to twice the limit', () => {
  const all = Array.from({ length: 6 }, () => hold(40))
  expect(all.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false, false, false])
  expect(answers.held).toBe(200)
})

test('the newest is never broken off, and nothing is counted twice', () => {
  const only = hold(500)
  expect(only.destroyed).toBe(false)
  const next = hold(500)
  expect([only.destroyed, next.destroyed]).toEqual([true, false])
  next.destroy()
  expect(answers.held).toBe(0)
  next.hold()
  expect(answers.held).toBe(0)
})
