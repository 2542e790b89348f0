import { expect, test, vi } from 'vitest'
import { keepCopy } from '../../../src/server/discovery/kept-copy.ts'

const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

function source() {
  const waiting: { resolve: (value: string) => void; reject: (error: Error) => void }[] = []
  const fetch = vi.fn(() => new Promise<string>((resolve, reject) => waiting.push({ resolve, reject })))
  return { fetch, waiting }
}

test('those who ask before the first copy share one fetch', async () => {
  const { fetch, waiting } = source()
  const copy = keepCopy({ fetch })
  const asked = [copy.get(), copy.get()]
  expect(copy.now()).toBeUndefined()
  waiting[0]!.resolve('first')
  expect(await Promise.all(asked)).toEqual(['first', 'first'])
  expect(fetch).toHaveBeenCalledTimes(1)
  expect(copy.get()).toBe('first')
  copy.close()
})

test('a copy stays while its source is down, and is replaced when it is back', async () => {
  vi.useFakeTimers()
  try {
    const { fetch, waiting } = source()
    const outcomes: unknown[] = []
    const copy = keepCopy({ fetch, refresh: 1000, firstRetry: 100, onAttempt: (error) => void outcomes.push(error) })
    waiting[0]!.resolve('first')
    await settled()
    await vi.advanceTimersByTimeAsync(1200)
    expect(fetch).toHaveBeenCalledTimes(2)
    const down = new Error('down')
    waiting[1]!.reject(down)
    await settled()
    expect(copy.get()).toBe('first')
    await vi.advanceTimersByTimeAsync(120)
    waiting[2]!.resolve('second')
    await settled()
    expect(copy.get()).toBe('second')
    expect(outcomes).toEqual([undefined, down, undefined])
    copy.close()
  } finally {
    vi.useRealTimers()
  }
})

test('a source that is down is not asked by every request', async () => {
  vi.useFakeTimers()
  try {
    const fetch = vi.fn(() => Promise.reject(new Error('down')))
    const copy = keepCopy<string>({ fetch, firstRetry: 1000, longestRetry: 1_000_000 })
    await settled()
    for (let i = 0; i < 50; i++) expect(await copy.get()).toBeUndefined()
    expect(fetch).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(60_000)
    const before = fetch.mock.calls.length
    expect(before).toBeLessThan(9)
    // Ahead of its time, because someone asks.
    await copy.get()
    expect(fetch.mock.calls.length).toBe(before + 1)
    copy.close()
  } finally {
    vi.useRealTimers()
  }
})

test('a closed copy asks no more', async () => {
  vi.useFakeTimers()
  try {
    const fetch = vi.fn(() => Promise.reject(new Error('down')))
    const copy = keepCopy<string>({ fetch })
    copy.close()
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(copy.get()).toBeUndefined()
    expect(fetch).toHaveBeenCalledTimes(1)
  } finally {
    vi.useRealTimers()
  }
})

test('a lazy copy fetches when somebody asks', async () => {
  const { fetch, waiting } = source()
  const copy = keepCopy({ fetch, lazy: true })
  await settled()
  expect(fetch).not.toHaveBeenCalled()
  const asked = copy.get()
  waiting[0]!.resolve('first')
  expect(await asked).toBe('first')
  copy.close()
})
