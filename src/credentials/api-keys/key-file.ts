// The key file (contract §3 `apiKeys.file`): YAML that `scopegate keys` writes and people may read and mend. It is held against a
// schema as strictly as the route map, and everything that is wrong is told with its place, but nothing of a hash or a secret.

import Type from 'typebox'
import { decode } from '../../config/schema/decode.ts'
import { choice, list, optional, parsed, section, text } from '../../config/schema/keywords.ts'
import { SCOPE_TOKEN } from '../../config/schema/scope-catalogue.ts'
import { readDocument } from '../../config/source/document.ts'
import { printProblem, type Report, sortProblems } from '../../config/source/problem.ts'
import { soundPart } from '../../config/source/validate.ts'
import type { ApiKey } from './api-key.ts'
import { withoutSecrets } from './secret.ts'

/** Printable, as terminals and logs show it, and nothing that the reader of YAML would take for a reference to the environment. */
const OWNER = /^(?! )[^\p{C}\p{Zl}\p{Zp}$]{1,100}(?<! )$/u
const DIGEST = '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$'

const id = (description: string) =>
  text(description, {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    '~expected': 'a name of letters, digits, dots, hyphens',
  })

const moment = (description: string) =>
  parsed(parseMoment, description, { '~expected': 'a date (UTC) such as 2027-01-31 or 2027-01-31T08:00:00Z' })

const Key = section(
  {
    id: id('Name of the key for people; it is no secret.'),
    kind: choice(['api-key', 'service-key'], 'What the key counts as.'),
    owner: parsed(parseOwner, 'Whose it is.', { '~expected': 'a name of at most 100 printable characters without $' }),
    scopes: list(text('A scope.', SCOPE_TOKEN), 'What it opens.', { minItems: 1 }),
    created: moment('When it was made.'),
    expires: moment('From when on it counts no more.'),
    rotatedFrom: optional(id('The key that it replaces.')),
    until: optional(moment('From when on it counts no more, because another key replaces it.')),
    revoked: optional(moment('When it was revoked.')),
    sha256: text('SHA-256 of the whole secret, as base64url.', {
      pattern: DIGEST,
      '~secret': true,
      '~expected': 'a SHA-256 as base64url (43 characters)',
    }),
  },
  'A key.',
)

const KeyFile = section(
  {
    version: Type.Literal(1, { description: 'Version of this format.', type: 'integer' }),
    keys: list(Key, 'Every key, oldest first.'),
  },
  'Keys of API clients and services.',
)

/** Someone has to mend the key file, or what is asked of it. */
export class KeyFileError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(withoutSecrets(problems.join('\n')))
    this.name = 'KeyFileError'
    this.problems = problems.map(withoutSecrets)
  }
}

/** Throws a KeyFileError that names every problem as `file:line:column: message`. */
export function parseKeyFile(text: string, file: string): readonly ApiKey[] {
  const document = readDocument(text, file, {})
  const problems = [...document.problems]
  const report: Report = (path, message, part) => void problems.push(document.problemAt(path, message, part))
  const sound =
    document.value === undefined
      ? undefined
      : soundPart(KeyFile, document.value, { report, writtenAt: document.writtenAt })
  if (problems.length > 0 || sound === undefined) throw new KeyFileError(sortProblems(problems).map(printProblem))
  const { keys } = decode(KeyFile, sound)
  checkKeys(keys, report)
  if (problems.length > 0) throw new KeyFileError(sortProblems(problems).map(printProblem))
  return keys
}

export function printMoment(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

export function parseOwner(owner: string): string | undefined {
  return OWNER.test(owner) ? owner : undefined
}

/** Seconds since 1970. A day stands for its first moment. */
function parseMoment(text: string): number | undefined {
  const [, day, time = 'T00:00:00Z'] = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}Z)?$/.exec(text) ?? []
  const moment = day === undefined ? Number.NaN : Date.parse(day + time) / 1000
  // Readers of dates forgive the 31st of February; the print does not.
  return Number.isNaN(moment) || printMoment(moment) !== day + time ? undefined : moment
}

function checkKeys(keys: readonly ApiKey[], report: Report): void {
  const ids = new Set<string>()
  const hashes = new Map<string, string>()
  for (const [index, { id, sha256, created, expires }] of keys.entries()) {
    const at = ['keys', index]
    if (ids.has(id)) report([...at, 'id'], `another key is called "${id}" too`)
    const twin = hashes.get(sha256)
    if (twin !== undefined) report([...at, 'sha256'], `the key "${twin}" has the same hash`)
    if (expires <= created) report([...at, 'expires'], 'it expires before it was made')
    ids.add(id)
    hashes.set(sha256, id)
  }
}
