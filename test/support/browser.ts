// A real Chromium for tests of pages: Debian's, driven by playwright-core, with a new profile each time. Where it is missing the tests
// are skipped with one loud line, but never in continuous integration.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** For `describe.skipIf`. */
export function lacksBrowser(what: string): boolean {
  if (existsSync(EXECUTABLE)) return false
  const said = `NOT TESTED: ${what}, because there is no Chromium at ${EXECUTABLE} (apt-get install chromium)`
  if (process.env['CI']) throw new Error(said)
  console.warn(`\n*** ${said} ***\n`)
  return true
}

export interface Browser {
  readonly context: BrowserContext
  close(): Promise<void>
}

export async function openBrowser(options: BrowserContextOptions = {}): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'scopegate-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    args: FLAGS,
    ...options,
  })
  return {
    context,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
