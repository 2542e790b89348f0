// Keys for people and for scripts: everything but hashes. A secret is printed by the command that made it, once.

import { type ApiKey, endOf, statusOf } from '../credentials/api-keys/api-key.ts'
import { printMoment } from '../credentials/api-keys/key-file.ts'

export type PrintedKey = ReturnType<typeof printedKey>

/** `now` in seconds. */
export function printedKey(key: ApiKey, now: number) {
  const { id, kind, owner, scopes, created, rotatedFrom, revoked } = key
  return {
    id,
    kind,
    owner,
    scopes,
    status: statusOf(key, now),
    created: printMoment(created),
    expires: printMoment(endOf(key)),
    ...(rotatedFrom === undefined ? {} : { rotatedFrom }),
    ...(revoked === undefined ? {} : { revoked: printMoment(revoked) }),
  }
}

/** One line for each fact. */
export function printFacts({ scopes, ...facts }: Partial<PrintedKey> & { readonly key?: string }): string {
  const lines = Object.entries({ ...facts, ...(scopes === undefined ? {} : { scopes: scopes.join(' ') }) })
  return lines.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n')
}

export function printTable(keys: readonly PrintedKey[]): string {
  const rows = [
    ['ID', 'KIND', 'STATUS', 'EXPIRES', 'OWNER', 'SCOPES'],
    ...keys.map(({ id, kind, status, expires, owner, scopes }) => [
      id,
      kind,
      status,
      expires.slice(0, 10),
      owner,
      scopes.join(' '),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
