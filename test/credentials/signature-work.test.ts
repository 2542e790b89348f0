import { expect, test } from 'vitest'
import { SignatureWork } from '../../src/credentials/signature-work.ts'
import { isRefusal } from '../../src/domain/refusal.ts'

/** Work that ends when the test says so, and notes that it began. */
class Bench {
  readonly begun: string[] = []
  readonly #ends: (() => void)[] = []

  readonly task = (name: string) => () => {
    this.begun.push(name)
    return new Promise<string>((resolve) => this.#ends.push(() => resolve(name)))
  }

  async endOne(): Promise<void> {
    this.#ends.shift()?.()
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
}

test('only so many work at once, and each place is handed on', async () => {
  const work = new SignatureWork({ running: 2 })
  const bench = new Bench()
  const results = ['a', 'b', 'c', 'd'].map((name) => work.run('one', bench.task(name)))
  expect(bench.begun).toEqual(['a', 'b'])
  await bench.endOne()
  expect(bench.begun).toEqual(['a', 'b', 'c'])
  for (let i = 0; i < 3; i++) await bench.endOne()
  expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd'])
  void work.run('one', bench.task('e'))
  void work.run('one', bench.task('f'))
  expect(bench.begun.slice(-2)).toEqual(['e', 'f'])
})

test('a flood in one lane makes another wait for one turn only', async () => {
  const work = new SignatureWork({ running: 1 })
  const bench = new Bench()
  for (let i = 0; i < 100; i++) void work.run('flooded', bench.task(`flood-${i}`))
  for (const name of ['x', 'y']) void work.run('quiet', bench.task(name))
  void work.run('third', bench.task('z'))
  for (let i = 0; i < 6; i++) await bench.endOne()
  expect(bench.begun).toEqual(['flood-0', 'flood-1', 'x', 'z', 'flood-2', 'y', 'flood-3'])
})

test('a full lane sheds its own; others still wait their turn', async () => {
  const work = new SignatureWork({ running: 1, waiting: 3 })
  const bench = new Bench()
  for (let i = 0; i < 4; i++) void work.run('flooded', bench.task(`flood-${i}`))
  const shed = await work.run('flooded', bench.task('too-many'))
  expect(isRefusal(shed) && [shed.code, shed.status, shed.extras.retryAfter]).toEqual(['overloaded', 503, 1])
  const quiet = work.run('quiet', bench.task('x'))
  for (let i = 0; i < 5; i++) await bench.endOne()
  expect(await quiet).toBe('x')
  expect(bench.begun).not.toContain('too-many')
})

test('work that fails gives its place back', async () => {
  const work = new SignatureWork({ running: 1 })
  const failing = work.run('one', () => Promise.reject(new Error('broken')))
  const next = work.run('one', () => Promise.resolve('next'))
  await expect(failing).rejects.toThrow('broken')
  expect(await next).toBe('next')
})
