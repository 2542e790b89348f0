// A copy of something that another server publishes, kept at hand: fetched at once, refreshed in the background, and kept as it
// is while the other server is down. Nobody waits for it but those who ask before a first copy could be had.

export interface KeptCopy<T> {
  /** The newest copy; a promise only while there is none and one is being fetched; undefined when it cannot be had now. */
  get(): T | undefined | Promise<T | undefined>
  /** The newest copy, without waiting. */
  now(): T | undefined
  close(): void
}

export interface KeptCopyOptions<T> {
  readonly fetch: () => Promise<T>
  /** Called after every attempt; `error` is undefined when it brought a copy. */
  readonly onAttempt?: (error: unknown) => void
  /** Nothing is fetched before somebody asks. */
  readonly lazy?: boolean
  /** Milliseconds. */
  readonly refresh?: number
  readonly firstRetry?: number
  readonly longestRetry?: number
}

export function keepCopy<T>(options: KeptCopyOptions<T>): KeptCopy<T> {
  const { refresh = 300_000, firstRetry = 1_000, longestRetry = 60_000 } = options
  let copy: T | undefined
  let running: Promise<T | undefined> | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let attemptedAt = Number.NEGATIVE_INFINITY
  let closed = false

  function attempt(): Promise<T | undefined> {
    clearTimeout(timer)
    running ??= options
      .fetch()
      .then(
        (fetched) => {
          copy = fetched
          failures = 0
          if (!closed) options.onAttempt?.(undefined)
        },
        (error) => {
          failures++
          if (!closed) options.onAttempt?.(error)
        },
      )
      .then(() => {
        running = undefined
        attemptedAt = performance.now()
        if (!closed) timer = setTimeout(attempt, pause()).unref()
        return copy
      })
    return running
  }

  // Spread, so that many replicas do not ask in step.
  function pause(): number {
    const whole = failures === 0 ? refresh : Math.min(longestRetry, firstRetry * 2 ** (failures - 1))
    return whole * (0.9 + Math.random() * 0.2)
  }

  if (!options.lazy) attempt()
  return {
    now: () => copy,
    get: () => {
      if (copy !== undefined || closed) return copy
      if (running !== undefined) return running
      // Someone is waiting: worth an attempt ahead of its time, but never more than one in `firstRetry`.
      return performance.now() - attemptedAt >= firstRetry ? attempt() : undefined
    },
    close: () => {
      closed = true
      clearTimeout(timer)
    },
  }
}
