// The log: JSON lines by pino on an asynchronous destination, written in blocks and flushed at exit. Secrets never get this far;
// the redaction list is the second belt. Request lines have a shorter way (`request-line.ts`): redacting each would cost three
// times as much as printing it.

import pino, { type Logger } from 'pino'
import { describeError } from './described-error.ts'

export interface Log {
  /** For everything but requests. */
  readonly logger: Logger
  /** Whether lines of this level are wanted at all. */
  wants(level: 'info' | 'warn'): boolean
  /** Writes a line that is already JSON and ends with a line feed. */
  line(text: string): void
  /** Writes out what is held; for the end of the process. */
  flush(): void
}

/** What the log writes to; pino's own destination unless a test brings one. */
export interface LogDestination {
  write(text: string): unknown
  flushSync?(): void
}

export interface LogOptions {
  readonly level?: string
  readonly destination?: LogDestination
  /** Other processes write to the same output. */
  readonly shared?: boolean
}

const SECRETS = [
  'authorization',
  'cookie',
  'token',
  'accessToken',
  'access_token',
  'refresh_token',
  'client_secret',
  'clientSecret',
  'password',
  'secret',
  'key',
  'body',
  'claims',
  'payload',
]
const REDACTED = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

const FLUSH_EVERY_MS = 200
const BLOCK = 8 * 1024
/** What a pipe takes in one piece, so that lines of several processes do not get into each other (POSIX PIPE_BUF on Linux). */
const ATOMIC = 4096
/** More than this, held because the reader of the log stands still, is dropped: a stuck log must not fill the memory. */
const MOST_HELD = 16 * 1024 * 1024

export function createLog(options: LogOptions = {}): Log {
  const { level = 'info', destination = standardOutput(options.shared ?? false) } = options
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error) => describeError(error), error: (error) => describeError(error) },
      redact: { paths: REDACTED, censor: '[redacted]' },
    },
    destination,
  )
  return {
    logger,
    wants: (at) => logger.isLevelEnabled(at),
    line: (text) => void destination.write(text),
    flush: () => {
      try {
        destination.flushSync?.()
      } catch {
        // Nobody is left to tell.
      }
    },
  }
}

function standardOutput(shared: boolean): LogDestination {
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: shared ? ATOMIC - 512 : BLOCK,
    ...(shared && { maxWrite: ATOMIC }),
    maxLength: MOST_HELD,
    periodicFlush: FLUSH_EVERY_MS,
  })
  // A log that cannot be written (disk full, reader gone) must not end the process that serves.
  let fails = false
  output.on('error', () => {
    fails = true
  })
  output.on('write', () => {
    fails = false
  })
  // Nor keep it from ending: pino's own tries a full disk again and again, and lets nothing else run meanwhile.
  const { flush, flushSync } = output
  let given = false
  output.flushSync = () => {
    given = fails
    if (!fails) flushSync.call(output)
  }
  output.flush = (done) => {
    if (given && fails) done?.()
    else flush.call(output, done)
  }
  return output
}
