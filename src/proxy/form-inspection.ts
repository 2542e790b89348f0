// A form on its way to a server of which nothing else is known: its fields are not judged here, but none of them may claim another
// method than the one that was decided on. Looks at names alone, whatever the pieces in which the body comes; nothing is held.

import { METHOD_OVERRIDDEN, overridesMethod } from '../domain/http/method-override.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { BodyInspection } from './request-body.ts'

/** Undefined where the body is no form. */
export function inspectForm(mediaType: string): BodyInspection | undefined {
  if (mediaType === 'application/x-www-form-urlencoded') return new NamesInForm()
  return mediaType === 'multipart/form-data' ? new NamesInParts() : undefined
}

/** No override is longer, however it is encoded. */
const LONGEST_NAME = 120
const EQUALS = 0x3d
const AMPERSAND = 0x26
/** Some servers split forms there too. */
const SEMICOLON = 0x3b

class NamesInForm implements BodyInspection {
  /** As far as it has come; undefined within a value. */
  #name: string | undefined = ''

  write(chunk: Buffer): Refusal | undefined {
    for (let at = 0; at < chunk.length; at++) {
      if (this.#name === undefined) {
        at = nextName(chunk, at)
        if (at < 0) return undefined
        this.#name = ''
        continue
      }
      const byte = chunk[at]!
      if (byte === EQUALS || byte === AMPERSAND || byte === SEMICOLON) {
        if (overridesMethod(decoded(this.#name))) return METHOD_OVERRIDDEN
        this.#name = byte === EQUALS ? undefined : ''
      } else this.#name = this.#name.length < LONGEST_NAME ? this.#name + String.fromCharCode(byte) : undefined
    }
    return undefined
  }

  end(): Refusal | undefined {
    return overridesMethod(decoded(this.#name ?? '')) ? METHOD_OVERRIDDEN : undefined
  }
}

/** Where the value that goes on at `from` ends; -1 when not in this piece. */
function nextName(chunk: Buffer, from: number): number {
  const ampersand = chunk.indexOf(AMPERSAND, from)
  const semicolon = chunk.subarray(0, ampersand < 0 ? chunk.length : ampersand).indexOf(SEMICOLON, from)
  return semicolon < 0 ? ampersand : semicolon
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '))
  } catch {
    return name
  }
}

const PART_NAME = /name\s*=\s*(?:"([^"\r\n]{1,64})"|([^\s;"]{1,64}))/gi
/** From the end of one piece into the next. */
const OVERLAP = 160

class NamesInParts implements BodyInspection {
  #before = ''

  write(chunk: Buffer): Refusal | undefined {
    const text = this.#before + chunk.toString('latin1')
    this.#before = text.slice(-OVERLAP)
    for (const [, quoted, bare] of text.matchAll(PART_NAME)) {
      if (overridesMethod((quoted ?? bare)!.replaceAll('\\', ''))) return METHOD_OVERRIDDEN
    }
    return undefined
  }

  end(): undefined {
    return undefined
  }
}
