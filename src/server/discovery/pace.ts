// So many answers a second and no more, for something that anyone may ask and that takes work: what is over is told when to come again.

import { type Refusal, refuse } from '../../domain/refusal.ts'

/** After a quiet second, twice as many at once. `now` gives milliseconds. */
export function createPace(perSecond: number, now: () => number = () => performance.now()): () => Refusal | undefined {
  const most = 2 * perSecond
  let left = most
  let last = now()
  return () => {
    const time = now()
    left = Math.min(most, left + ((time - last) / 1000) * perSecond)
    last = time
    if (left < 1)
      return refuse('rate-limited', 'This is asked too often just now. Try again shortly.', { retryAfter: 1 })
    left -= 1
    return undefined
  }
}
