// The primary gives up a worker that takes too long; the worker does not know, and ends what it was at some time later.

import { expect, test } from 'vitest'
import type { Generation } from '../../../src/server/generations/generation.ts'
import { Prepared } from '../../../src/server/workers/prepared.ts'

const GIVEN_UP = 'the primary no longer waits for this route map'
const NOT_HERE = 'this route map was not built here'

/** One that ends when it is told to. */
function slow() {
  const ended = Promise.withResolvers<void>()
  let closed = 0
  const generation = {
    composed: {
      close: async () => {
        closed++
      },
    },
  } as unknown as Generation
  return {
    generation,
    end: ended.resolve,
    closed: () => closed,
    build: async () => {
      await ended.promise
      return generation
    },
  }
}

test('what was built takes over once, by its number', async () => {
  const prepared = new Prepared()
  const one = slow()
  one.end()
  await prepared.prepare(1, one.build)
  expect(() => prepared.take(2)).toThrow(NOT_HERE)
  expect(prepared.take(1)).toBe(one.generation)
  expect(() => prepared.take(1)).toThrow(NOT_HERE)
  await prepared.drop(1)
  expect(one.closed()).toBe(0)
})

test('what was given up and ends late is closed, and cannot take over', async () => {
  const prepared = new Prepared()
  const late = slow()
  const building = prepared.prepare(1, late.build)
  await prepared.drop(1)
  late.end()
  await expect(building).rejects.toThrow(GIVEN_UP)
  expect(late.closed()).toBe(1)
  expect(() => prepared.take(1)).toThrow(NOT_HERE)
})

test('one that ends late replaces nothing newer', async () => {
  const prepared = new Prepared()
  const [late, newer] = [slow(), slow()]
  const building = prepared.prepare(1, late.build)
  newer.end()
  await prepared.prepare(2, newer.build)
  late.end()
  await expect(building).rejects.toThrow(GIVEN_UP)
  expect([late.closed(), newer.closed()]).toEqual([1, 0])
  // That the first is given up is said late, too.
  await prepared.drop(1)
  expect(newer.closed()).toBe(0)
  expect(prepared.take(2)).toBe(newer.generation)
})

test('what is ready and given up is closed, by word or by the next attempt', async () => {
  const prepared = new Prepared()
  const [first, second, third] = [slow(), slow(), slow()]
  for (const one of [first, second, third]) one.end()
  await prepared.prepare(1, first.build)
  await prepared.drop(1)
  await prepared.prepare(2, second.build)
  await prepared.prepare(3, third.build)
  expect([first.closed(), second.closed(), third.closed()]).toEqual([1, 1, 0])
  expect(prepared.take(3)).toBe(third.generation)
})

test('one that cannot be built leaves nothing behind', async () => {
  const prepared = new Prepared()
  await expect(prepared.prepare(1, () => Promise.reject(new Error('no such file')))).rejects.toThrow('no such file')
  expect(() => prepared.take(1)).toThrow(NOT_HERE)
  await prepared.drop(1)
})
