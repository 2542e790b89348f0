// What was seen, as a table for readers: for each endpoint who got through, and how many were refused with which code.

import type { Credential } from './credentials.ts'
import { type Endpoint, titleOf } from './endpoint.ts'
import type { Kind } from './seed-scopes.ts'

export interface EndpointResult {
  readonly endpoint: Endpoint
  readonly through: readonly Credential[]
  /** Code → how many credentials. */
  refused: ReadonlyMap<string, number>
}

const WORDS: Readonly<Record<Kind, string>> = { bearer: 'token', 'api-key': 'API key', 'service-key': 'service key' }
const CODES = ['scope-insufficient', 'credential-kind', 'launch-context-missing', 'not-found'] as const
const HEADS = ['endpoint', 'let through', ...CODES]

export function printTable(results: readonly EndpointResult[], scopes: number): string {
  const rows = results.flatMap(({ endpoint, through, refused }) => linesOf(titleOf(endpoint), through, refused))
  const widths = HEADS.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)))
  const print = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  const all = results.flatMap(({ refused, through }) => [through.length, ...refused.values()])
  const asked = all.reduce((sum, count) => sum + count, 0)
  const through = results.reduce((sum, one) => sum + one.through.length, 0)
  return [
    '',
    print(HEADS),
    widths.map((width) => '─'.repeat(width)).join('  '),
    ...rows.map(print),
    '',
    `${results.length} endpoints × ${scopes} scopes × every kind of credential that carries them: ${asked} requests, ` +
      `${through} let through, ${asked - through} refused by 403 (or 404 by a seal) before anything left the gateway.`,
    '',
  ].join('\n')
}

/** One line for each scope that got through. */
function linesOf(title: string, through: readonly Credential[], refused: ReadonlyMap<string, number>): string[][] {
  const counts = CODES.map((code) => String(refused.get(code) ?? ''))
  const scopes = [...Map.groupBy(through, ({ scope }) => scope)].map(
    ([scope, carriers]) => `${scope} (${carriers.map(({ kind }) => WORDS[kind]).join(', ')})`,
  )
  const [first = 'nobody', ...more] = scopes
  return [[title, first, ...counts], ...more.map((scope) => ['', scope, ...CODES.map(() => '')])]
}
