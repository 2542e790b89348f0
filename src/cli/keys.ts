// `scopegate keys create|list|rotate|revoke`: the words of each command, and what it says. A gateway that runs picks the change up
// by itself.

import { parseDuration } from '../config/schema/duration.ts'
import type { Settings } from '../config/settings.ts'
import type { KeyKind } from '../credentials/api-keys/api-key.ts'
import { KeyFileError, parseOwner, printMoment } from '../credentials/api-keys/key-file.ts'
import { changeKeyFile, readKeyFile } from '../credentials/api-keys/key-file-write.ts'
import { makeKey } from '../credentials/api-keys/make-key.ts'
import { readRouteMap } from './check.ts'
import { CONFIG, readWords, UsageError } from './command-line.ts'
import { planCreate, planRevoke, planRotate } from './key-plans.ts'
import { printedKey, printFacts, printTable } from './key-printing.ts'
import { scopeProblems } from './key-scopes.ts'
import { printProblems } from './problems.ts'

const COMMON = { ...CONFIG, file: { type: 'string' }, json: { type: 'boolean', default: false } } as const
const CREATE = {
  ...COMMON,
  kind: { type: 'string' },
  owner: { type: 'string' },
  scope: { type: 'string', multiple: true, default: [] as string[] },
  expires: { type: 'string', default: '365d' },
  'self-service': { type: 'boolean', default: false },
} as const
const ROTATE = { ...COMMON, overlap: { type: 'string', default: '7d' } } as const

const LONGEST_LIFE = '3650d'

/** Exit code: 0 done, 1 not. */
export async function runKeys([command, ...words]: readonly string[]): Promise<0 | 1> {
  try {
    switch (command) {
      case 'create':
        return await create(words)
      case 'list':
        return list(words)
      case 'rotate':
        return await rotate(words)
      case 'revoke':
        return await revoke(words)
      default:
        throw new UsageError('keys takes create, list, rotate or revoke')
    }
  } catch (error) {
    if (!(error instanceof KeyFileError) && (error as NodeJS.ErrnoException).syscall === undefined) throw error
    console.error((error as Error).message)
    return 1
  }
}

async function create(words: readonly string[]): Promise<0 | 1> {
  const { values } = readWords(words, CREATE)
  const { kind, owner } = values
  if (kind !== 'api-key' && kind !== 'service-key') throw new UsageError('--kind takes api-key or service-key')
  if (owner === undefined) throw new UsageError('--owner NAME is needed: whose key it is')
  const scopes = [...new Set(values.scope.flatMap((some) => some.split(/\s+/)))].filter((scope) => scope !== '')
  if (scopes.length === 0) throw new UsageError('--scope "S…" is needed: what the key opens')
  const lifetime = readSpan(values.expires, '--expires', 1)
  if (parseOwner(owner) === undefined) {
    return fail(['--owner takes at most 100 printable characters, no $, no space at its ends'])
  }
  const loaded = readRouteMap(values.config, process.env)
  if ('problems' in loaded) return printProblems(loaded)
  const asked = { scopes, kind: kind as KeyKind, selfService: values['self-service'] }
  const problems = scopeProblems(asked, loaded.settings.scopes)
  if (problems.length > 0) return fail(problems)
  const made = makeKey(kind)
  const file = values.file ?? fileOf(loaded.settings, values.config)
  const now = seconds()
  const key = planCreate({ kind, owner, scopes, lifetime }, made, now)
  await changeKeyFile(file, () => ({ add: key }))
  say(values.json, { key: made.secret, ...printedKey(key, now) }, `Shown only now. ${file} keeps its hash.`)
  return 0
}

function list(words: readonly string[]): 0 | 1 {
  const { values } = readWords(words, COMMON)
  const file = locate(values)
  if (file === undefined) return 1
  const now = seconds()
  const keys = readKeyFile(file).map((key) => printedKey(key, now))
  if (values.json) console.log(JSON.stringify({ keys }, null, 2))
  else console.log(keys.length === 0 ? `${file} holds no keys.` : printTable(keys))
  return 0
}

async function rotate(words: readonly string[]): Promise<0 | 1> {
  const { values, positionals } = readWords(words, ROTATE, true)
  const id = onlyId(positionals, 'rotate')
  const overlap = readSpan(values.overlap, '--overlap', 0)
  const file = locate(values)
  if (file === undefined) return 1
  const now = seconds()
  const { add, end, secret } = await changeKeyFile(file, (keys) => {
    // The prefix tells the kind, so the kind must be known first; a key that is not there is told by the plan.
    const made = makeKey(keys.find((key) => key.id === id)?.kind ?? 'api-key')
    return { ...planRotate(keys, id, { overlap, made, now }), secret: made.secret }
  })
  say(
    values.json,
    { key: secret, ...printedKey(add, now) },
    `Shown only now. "${id}" counts until ${printMoment(end.until)}.`,
  )
  return 0
}

async function revoke(words: readonly string[]): Promise<0 | 1> {
  const { values, positionals } = readWords(words, COMMON, true)
  const id = onlyId(positionals, 'revoke')
  const file = locate(values)
  if (file === undefined) return 1
  const now = seconds()
  const { key, relatives } = await changeKeyFile(file, (keys) => planRevoke(keys, id, now))
  const notes = relatives.map((other) => `"${other.id}", of the same line, still counts; revoke it too if need be.`)
  say(values.json, printedKey({ revoked: now, ...key }, now), notes.join('\n'))
  return 0
}

/** The key file that `--file` or the route map names; undefined when the route map cannot be read, which is told. */
function locate({ file, config }: { readonly file?: string; readonly config: string }): string | undefined {
  if (file !== undefined) return file
  const loaded = readRouteMap(config, process.env)
  if (!('problems' in loaded)) return fileOf(loaded.settings, config)
  printProblems(loaded)
  console.error('Or name the key file by --file.')
  return undefined
}

function fileOf({ apiKeys }: Settings, config: string): string {
  if (apiKeys !== undefined) return apiKeys.file
  console.error(`warning: ${config} has no apiKeys, so a gateway takes no keys; write apiKeys: { file: keys.yaml }`)
  return 'keys.yaml'
}

function say(json: boolean, facts: Parameters<typeof printFacts>[0], note: string): void {
  console.log(json ? JSON.stringify(facts, null, 2) : printFacts(facts))
  if (note !== '') console.error(note)
}

function fail(problems: readonly string[]): 1 {
  for (const problem of problems) console.error(problem)
  return 1
}

function readSpan(text: string, option: string, least: number): number {
  const span = parseDuration(text)
  const whole = span === undefined ? -1 : Math.floor(span / 1000)
  if (whole < least || whole > parseDuration(LONGEST_LIFE)! / 1000) {
    throw new UsageError(`${option} takes a duration such as 12h or 90d, at most ${LONGEST_LIFE}`)
  }
  return whole
}

function onlyId(positionals: readonly string[], command: string): string {
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0)
    throw new UsageError(`keys ${command} takes one ID; \`keys list\` shows them`)
  return id
}

const seconds = (): number => Math.floor(Date.now() / 1000)
