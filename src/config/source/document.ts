// Reads YAML 1.2 with positions. Anchors, aliases, tags and keys that are no text are refused: a route map must say what it means
// where it means it. Values from the environment are put in here; everything behind this file sees plain values and paths.
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { type Environment, hasReference, substitute, UNREADABLE } from './environment.ts'
import type { Part, Path, Problem } from './problem.ts'

export interface SourceDocument {
  /** Plain values, the environment put in; `undefined` when the text is no YAML that one can go on with. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  problemAt(path: Path, message: string, part?: Part): Problem
  /** How a value that came from the environment is written; `undefined` for a plain one. */
  writtenAt(path: Path): string | undefined
}

/** Faults that leave the rest of the document readable. */
const HARMLESS = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED', 'BAD_ALIAS'])

export function readDocument(text: string, file: string, env: Environment): SourceDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: '1.2',
    schema: 'core',
    merge: false,
  })
  const contents = document.contents
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), message }
  }
  const faults = document.errors.map(({ pos, code, message }) =>
    at(pos[0], `${MESSAGES[code] ?? message}${hint(text, pos[0])}`),
  )
  const written = new Map<string, string>()
  const locateAndSay = (path: Path, message: string, part: Part = 'value') => at(locate(contents, path, part), message)
  if (document.errors.some(({ code }) => !HARMLESS.has(code))) {
    return { value: undefined, problems: firstOfEachLine(faults), problemAt: locateAndSay, writtenAt: () => undefined }
  }
  const reading: Reading = {
    env,
    refuse: (node, message) => faults.push(at(node.range?.[0] ?? 0, message)),
    substituted: (path, source) => written.set(JSON.stringify(path), source),
  }
  return {
    value: contents === null ? null : plain(contents, [], reading),
    problems: faults,
    problemAt: locateAndSay,
    writtenAt: (path) => written.get(JSON.stringify(path)),
  }
}

const MESSAGES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is here twice',
  MULTIPLE_DOCS: 'a route map is one document; remove what follows "---"',
  TAB_AS_INDENT: 'tabs cannot indent YAML; use spaces',
  BLOCK_AS_IMPLICIT_KEY:
    'this cannot be read as YAML: its indentation differs from that of the lines around it, or a text with ": " in it lacks quotes',
  MULTILINE_IMPLICIT_KEY:
    'this is neither a key nor a value: a colon with a space behind it is missing here or on the line before',
  BAD_SCALAR_START: 'a text that begins with this character needs quotes around it',
}

interface Reading {
  readonly env: Environment
  readonly refuse: (node: Node, message: string) => void
  readonly substituted: (path: Path, source: string) => void
}

function plain(node: unknown, path: Path, reading: Reading): unknown {
  if (!isNode(node)) return null
  if (isAlias(node)) return reading.refuse(node, 'aliases are not allowed here; write the value out')
  if (node.anchor !== undefined)
    reading.refuse(node, 'anchors are not allowed here; write the value out where it is used')
  if (node.tag?.startsWith('!') || (node.tag !== undefined && !CORE_TAG.test(node.tag))) {
    reading.refuse(node, 'tags are not allowed here')
  }
  if (isSeq(node)) {
    return node.items.map((item, index) => plain(item, [...path, index], reading))
  }
  if (isMap(node)) return plainMap(node, path, reading)
  const value = isScalar(node) ? node.value : undefined
  return typeof value === 'string' && hasReference(value) ? fromEnvironment(node, value, path, reading) : value
}

const CORE_TAG = /^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/

function plainMap(node: YAMLMap, path: Path, reading: Reading): object {
  const entries: [string, unknown][] = []
  for (const { key, value } of node.items) {
    if (!isScalar(key) || key.value === null) {
      reading.refuse(isNode(key) ? key : node, 'a key must be a plain text')
      continue
    }
    const name = String(key.value)
    if (hasReference(name)) reading.refuse(key, 'keys take nothing from the environment; write the key out')
    const inner = plain(value, [...path, name], reading)
    if (inner !== undefined && !entries.some(([known]) => known === name)) entries.push([name, inner])
  }
  return Object.fromEntries(entries)
}

// `undefined` for an empty value: it counts as not written (in a list it stays as a hole, so that places stay right).
function fromEnvironment(node: Node, source: string, path: Path, reading: Reading): unknown {
  const { text, faults } = substitute(source, reading.env)
  for (const fault of faults) reading.refuse(node, fault)
  if (faults.length > 0) return UNREADABLE
  reading.substituted(path, source)
  return text === '' ? undefined : text
}

/** Offset of the value (or key) at a path; of the nearest thing around it that is written when it is not. */
function locate(contents: unknown, path: Path, part: Part): number {
  let node: unknown = contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const [depth, step] of path.entries()) {
    if (isSeq(node) && typeof step === 'number') node = node.items[step]
    else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step)
      if (pair === undefined) return offset
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      if (part === 'key' && depth === path.length - 1) return offset
      node = pair.value
    } else return offset
    if (isNode(node) && (depth === path.length - 1 || isSeq(node) === false)) offset = node.range?.[0] ?? offset
  }
  return offset
}

function hint(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const line = text.slice(start, text.indexOf('\n', start) < 0 ? text.length : text.indexOf('\n', start))
  if (/[{[,].*[^"'\w]\$\{/.test(line))
    return '; inside { } and [ ] a reference to the environment needs quotes around it'
  return /\{[^"'}]*\/[^"'}]*\{/.test(line) ? '; inside { } a path with { } of its own needs quotes around it' : ''
}

function firstOfEachLine(problems: readonly Problem[]): Problem[] {
  return problems.filter((problem, index) => problems.findIndex(({ line }) => line === problem.line) === index)
}
