// A Bundle within constraints, checked entry by entry as it streams (spec §3.5): an entry is held until its resource was judged, then
// passes with the resource's bytes unchanged, or is gone. Totals go, links and addresses are rewritten as in every Bundle, and of
// what is no known member of a Bundle nothing passes. INVARIANT: no byte of a resource leaves before the judge released it.

import { type Refusal, refuse } from '../domain/refusal.ts'
import type { BundleLinks } from './bundle-links.ts'
import type { BodySink, BodyTransform } from './forward.ts'
import { type EntryJudge, GuardEditor } from './guard-editor.ts'
import { notFound } from './guarded-resource.ts'
import { JsonScanner } from './json-scan.ts'

export interface GuardedBundleOptions {
  readonly links: BundleLinks
  readonly judge: EntryJudge
  readonly mostHeld: number
  /** Whether a Bundle of which nothing was released must look like something that does not exist. */
  readonly mayBeEmpty: boolean
  counted?(result: 'released' | 'withheld', count: number): void
}

export function guardedBundle(options: GuardedBundleOptions): BodyTransform {
  const { mostHeld, mayBeEmpty, counted } = options
  const editor = new GuardEditor(options)
  const scanner = new JsonScanner(editor, mostHeld)
  let waiting: Buffer[] | undefined = mayBeEmpty ? undefined : []
  let bytes = 0
  const fault = (): Refusal | undefined =>
    scanner.fault === undefined && editor.fault === undefined ? undefined : unchecked()
  return {
    guards: 'bundle',
    write(chunk: Buffer, out: BodySink) {
      const leaving = scanner.push(chunk)
      const refusal = fault()
      if (refusal !== undefined) return refusal
      if (waiting === undefined) {
        out.write(leaving)
        return undefined
      }
      waiting.push(Buffer.from(leaving))
      bytes += leaving.length
      if (bytes > mostHeld)
        return refuse('upstream-broken', 'The answer begins with more than may be held while it is checked.')
      if (editor.released > 0) waiting = release(waiting, out)
      return undefined
    },
    end(out: BodySink) {
      scanner.end()
      editor.end()
      counted?.('released', editor.released)
      counted?.('withheld', editor.withheld)
      const refusal = fault()
      if (refusal !== undefined || waiting === undefined) return refusal
      if (editor.released === 0) return notFound()
      release(waiting, out)
      return undefined
    },
  }
}

/** The bytes of a Bundle within a Bundle, or undefined when it cannot be checked or must look like something that does not exist. */
export function guardInner(raw: Buffer, options: GuardedBundleOptions): Buffer | undefined {
  const editor = new GuardEditor(options)
  const scanner = new JsonScanner(editor, options.mostHeld)
  const bytes = Buffer.from(scanner.push(raw))
  scanner.end()
  editor.end()
  options.counted?.('released', editor.released)
  options.counted?.('withheld', editor.withheld)
  const whole = scanner.fault === undefined && editor.fault === undefined
  return whole && (options.mayBeEmpty || editor.released > 0) ? bytes : undefined
}

/** One page, of which nothing but the released entries is given on: each whole, as soon as it was judged. */
export class GuardedPage {
  readonly #editor: GuardEditor
  readonly #scanner: JsonScanner

  constructor(options: GuardedBundleOptions, give: (entry: Buffer) => void) {
    this.#editor = new GuardEditor(options, give)
    this.#scanner = new JsonScanner(this.#editor, options.mostHeld)
  }

  get withheld(): number {
    return this.#editor.withheld
  }

  push(chunk: Buffer): Refusal | undefined {
    this.#scanner.push(chunk)
    return this.#fault()
  }

  end(): Refusal | undefined {
    this.#scanner.end()
    this.#editor.end()
    return this.#fault()
  }

  #fault(): Refusal | undefined {
    return this.#scanner.fault === undefined && this.#editor.fault === undefined ? undefined : unchecked()
  }
}

function release(waiting: readonly Buffer[], out: BodySink): undefined {
  for (const bytes of waiting) out.write(bytes)
}

function unchecked(): Refusal {
  return refuse('upstream-broken', 'The server behind this route answered with a Bundle that cannot be checked.')
}
