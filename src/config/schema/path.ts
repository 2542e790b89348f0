// Paths as routes write them: a literal base of whole segments, and templates where `{name}` is one segment and a last `/*` any rest.
import { parsed } from './keywords.ts'

const LITERAL = '(?!\\.\\.?(?:/|$))[A-Za-z0-9._~$@:!,=-]+'
const SEGMENT = `/(?:${LITERAL}|\\{[A-Za-z][A-Za-z0-9_-]*\\})`

/** A path template as a regular expression without anchors. */
export const TEMPLATE = `(?:/|(?:${SEGMENT})+(?:/\\*)?|/\\*)`

/** `/fhir/R4`; effectively without a slash at its end, so the root is empty. */
export const basePath = (description: string) =>
  parsed((text) => text.replace(/\/$/, ''), description, {
    pattern: `^(?:/${LITERAL})*/?$`,
    '~expected': 'a path such as /fhir/R4',
  })

/** The segments of `/a/{b}/*`. */
export const segmentsOf = (path: string): readonly string[] => path.split('/').filter((segment) => segment !== '')
