// What the log may say of an error: its kind, its code, where it was thrown. Errors carry what they failed on: the JSON parser
// quotes the text, jose hangs the claims on, undici the URL. So a message is shown only where it is known to be harmless.

/** Thrown for the log: the message says all, without any data, and where it was thrown tells no more. */
const HARMLESS = new Set(['IssuerDocumentError', 'MetadataError'])
// System errors say what failed on which address of ours: `connect ECONNREFUSED 127.0.0.1:8101`.
const SYSTEM_CODE = /^E[A-Z]{2,}$/
const OUR_PLACES = /^\s+at .*$/gm
const MOST_FRAMES = 8

/** A class, so that the log knows its own descriptions from other objects. */
export class DescribedError {
  declare readonly type: string
  declare readonly code?: string
  declare readonly message?: string
  declare readonly stack?: string
  declare readonly cause?: DescribedError

  constructor(description: Omit<DescribedError, 'cause'> & { readonly cause?: DescribedError }) {
    Object.assign(this, description)
  }
}

export function describeError(error: unknown, depth = 3): DescribedError {
  if (error instanceof DescribedError) return error
  if (!(error instanceof Error)) return new DescribedError({ type: typeof error })
  const { name } = error.constructor
  const code = (error as { code?: unknown }).code
  const harmless = HARMLESS.has(name)
  const frames = harmless ? undefined : error.stack?.match(OUR_PLACES)?.slice(0, MOST_FRAMES)
  return new DescribedError({
    type: name,
    ...(typeof code === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(code) ? { code } : {}),
    ...(harmless || (typeof code === 'string' && SYSTEM_CODE.test(code)) ? { message: error.message } : {}),
    ...(frames === undefined ? {} : { stack: frames.map((frame) => frame.trim()).join('\n') }),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: describeError(error.cause, depth - 1) }),
  })
}
