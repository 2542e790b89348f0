import { expect, test } from 'vitest'
import { inParallel } from '../../../src/server/fhir/in-parallel.ts'

const items = Array.from({ length: 50 }, (_, i) => i)

test('every item is worked on once, in order of beginning, never more than so many at a time', async () => {
  let running = 0
  let most = 0
  const begun: number[] = []
  await inParallel(items, 8, async (item, index) => {
    expect(item).toBe(index)
    begun.push(item)
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return true
  })
  expect(begun).toEqual(items)
  expect(most).toBe(8)
})

test('nothing is begun once one came to false, and what had begun is waited for', async () => {
  const begun: number[] = []
  const ended: number[] = []
  await inParallel(items, 4, async (item) => {
    begun.push(item)
    for (let turn = 0; turn < item % 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    ended.push(item)
    return item !== 9
  })
  expect(begun).toContain(9)
  expect(begun.length).toBeLessThan(20)
  expect(ended.sort()).toEqual(begun.sort())
})

test('a failure is a failure of the whole', async () => {
  const failing = inParallel(items, 4, async (item) => {
    if (item === 7) throw new Error('seven')
    return true
  })
  await expect(failing).rejects.toThrow('seven')
})

test('of nothing nothing is done', async () => {
  await expect(inParallel([], 8, async () => true)).resolves.toBeUndefined()
})
