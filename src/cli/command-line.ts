// The words of a command line, read strictly: an option that is not known, or a value that is missing, is told with the usage.

import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

export class UsageError extends Error {}

/** Every command takes it. */
export const CONFIG = { config: { type: 'string', default: 'routes.yaml' } } as const satisfies ParseArgsOptionsConfig

export function readWords<Options extends ParseArgsOptionsConfig>(
  words: readonly string[],
  options: Options,
  allowPositionals = false,
) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
