import { expect, test } from 'vitest'
import { Keeper } from '../../../src/server/generations/keeper.ts'

interface Part {
  readonly name: string
  closed: number | undefined
}

const close = (part: Part, milliseconds: number): void => {
  part.closed = milliseconds
}
const make = (name: string) => (): Part => ({ name, closed: undefined })

test('a part is handed on while its settings are deeply equal, and closed when nobody uses it', async () => {
  const keeper = new Keeper()
  const [first, second, third] = [keeper.lease(), keeper.lease(), keeper.lease()]
  const a = first.part('upstream', { url: ['x'] }, make('a'), close)
  expect(second.part('upstream', { url: ['x'] }, make('b'), close)).toBe(a)
  const other = third.part('upstream', { url: ['y'] }, make('c'), close)
  expect(other).not.toBe(a)
  await first.end(5)
  expect(a.closed).toBeUndefined()
  await second.end(7)
  expect([a.closed, other.closed, keeper.size]).toEqual([7, undefined, 1])
  await third.end(9)
  expect([other.closed, keeper.size]).toEqual([9, 0])
})

test('a lease that asks twice holds once, and ends once', async () => {
  const keeper = new Keeper()
  const [first, second] = [keeper.lease(), keeper.lease()]
  const part = first.part('x', 1, make('x'), close)
  expect(first.part('x', 1, make('x'), close)).toBe(part)
  second.part('x', 1, make('x'), close)
  await first.end(1)
  await first.end(1)
  expect(part.closed).toBeUndefined()
  await second.end(2)
  expect(part.closed).toBe(2)
})

test('settings that come back while the part still runs get it back', async () => {
  const keeper = new Keeper()
  const [old, between, back] = [keeper.lease(), keeper.lease(), keeper.lease()]
  const part = old.part('x', 1, make('x'), close)
  between.part('x', 2, make('x'), close)
  expect(back.part('x', 1, make('x'), close)).toBe(part)
  await old.end(1)
  await between.end(1)
  expect(part.closed).toBeUndefined()
})

test('what could not be opened is not kept', async () => {
  const keeper = new Keeper()
  const lease = keeper.lease()
  await expect(lease.opened('x', 1, () => Promise.reject(new Error('no')), close)).rejects.toThrow('no')
  expect(keeper.size).toBe(0)
  expect(await lease.opened('x', 1, async () => make('x')(), close)).toEqual({ name: 'x', closed: undefined })
})
