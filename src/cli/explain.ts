// `scopegate explain`: the printed form of an explanation. Exit code 0 permitted, 3 denied.

import { readFileSync } from 'node:fs'
import type { CredentialKind } from '../domain/grant.ts'
import { compose } from '../server/compose.ts'
import { type ExplainRequest, type Explanation, explain } from '../server/explain/explain.ts'
import { createLasting } from '../server/generations/lasting.ts'
import { readRouteMap } from './check.ts'
import { UsageError } from './command-line.ts'
import { printProblems } from './problems.ts'

export interface ExplainOptions {
  readonly config: string
  readonly method: string
  readonly target: string
  readonly scope?: string | undefined
  readonly patient?: string | undefined
  readonly fhirUser?: string | undefined
  readonly credential?: CredentialKind | undefined
  readonly issuer?: string | undefined
  readonly tokenFile?: string | undefined
  readonly headers: readonly string[]
  readonly bodyFile?: string | undefined
  /** File with what is stored. */
  readonly storedFile?: string | undefined
  readonly json: boolean
}

export async function runExplain(options: ExplainOptions): Promise<0 | 1 | 3> {
  const loaded = readRouteMap(options.config, process.env)
  if ('problems' in loaded) return printProblems(loaded)
  const { issuers } = loaded.settings
  if (options.issuer !== undefined && !issuers.some(({ name }) => name === options.issuer)) {
    const known = issuers.map(({ name }) => name).join(', ')
    throw new UsageError(`the route map has no issuer "${options.issuer}"; it has ${known || 'none'}`)
  }
  const request = requestOf(options)
  const lasting = createLasting()
  const composed = compose(loaded.settings, lasting, { generation: 0, lease: lasting.keeper.lease(), offline: true })
  try {
    const explanation = await explain(composed, request, Date.now())
    console.log(options.json ? JSON.stringify(explanation, null, 2) : printExplanation(explanation))
    return explanation.permitted ? 0 : 3
  } finally {
    await composed.close(0)
    await lasting.close()
  }
}

function requestOf({ tokenFile, bodyFile, storedFile, ...options }: ExplainOptions): ExplainRequest {
  return {
    ...options,
    headers: options.headers.flatMap(splitHeader),
    token: tokenFile === undefined ? undefined : readText('--token-file', tokenFile).trim(),
    body: bodyFile === undefined ? undefined : readText('--body', bodyFile),
    stored: storedFile === undefined ? undefined : readText('--stored', storedFile),
  }
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${option} ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new UsageError(`-H takes 'Name: value', not '${line}'`)
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

export function printExplanation(explanation: Explanation): string {
  const { permitted, outcome, route, interaction, refusal, forwarded } = explanation
  const lines = [
    `${permitted ? 'permitted' : 'denied'}: ${outcome === 'deny' ? (refusal?.code ?? outcome) : outcome}`,
    field('route', route),
    field('interaction', interaction),
    ...explanation.scopes.map((one) => field('scope', printScope(one))),
    ...explanation.covered.map(({ need, scope, worth }) =>
      field('covered', `${need} by ${scope}${worth === undefined ? '' : ` (worth ${worth})`}`),
    ),
    ...(explanation.limits ?? []).map(({ need, scope, only }) =>
      field('checked', `${need}: ${only.length === 0 ? 'everything' : only.join(' and ')} (${scope})`),
    ),
    ...(explanation.narrowed?.appended ?? []).map((clause) => field('appended', clause)),
    ...(explanation.narrowed?.left ?? []).map((clause) => field('left out', clause)),
    ...explanation.missing.map((need) => field('missing', need)),
    field('why', refusal?.detail),
    field('would do', refusal?.scopes?.join(' ')),
    field('status', refusal && String(refusal.status)),
    field('unchecked', explanation.unchecked),
    field('bound', explanation.bound),
    field('forwarded', forwarded && `${forwarded.method} ${forwarded.path || '/'} to ${forwarded.upstream}`),
    field('body', forwarded?.body && `${forwarded.body.slice(0, 200)}${forwarded.body.length > 200 ? '…' : ''}`),
  ]
  return lines.filter((line) => line !== '').join('\n')
}

function printScope({ granted, meaning, idle }: Explanation['scopes'][number]): string {
  if (meaning === undefined) return `${granted} (opens no FHIR resource)`
  const reads = meaning === granted ? granted : `${granted} = ${meaning}`
  return idle === undefined ? reads : `${reads} (grants nothing: ${idle})`
}

function field(name: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : `  ${name.padEnd(12)} ${value}`
}
