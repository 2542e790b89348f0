// The one-way law of ARCHITECTURE.md, held by reading the import statements of src/.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const SOURCE = resolve(import.meta.dirname, '../src')
const ROOMS = ['config', 'domain', 'state', 'credentials', 'proxy', 'observability', 'server', 'demo', 'cli', 'main.ts']
const LONGEST_FILE = 300

interface SourceFile {
  readonly path: string
  readonly text: string
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean; readonly names: string }[]
}

const files: readonly SourceFile[] = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(SOURCE, path), 'utf8')
    const statements = text.matchAll(
      /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+'([^']+)'|^import\s+'([^']+)'/gms,
    )
    const imports = [...statements].map((found) => ({
      from: found[3] ?? found[4]!,
      typeOnly: found[1] !== undefined || onlyTypes(found[2] ?? ''),
      names: found[2] ?? '',
    }))
    return { path, text, imports }
  })

function onlyTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}$/s
    .exec(clause.trim())?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}

const room = (path: string): string => path.split('/')[0]!
const isRelative = (from: string): boolean => from.startsWith('.')
const target = (file: SourceFile, from: string): string => relative(SOURCE, resolve(SOURCE, dirname(file.path), from))

test('there is something to hold to the law', () => {
  expect(files.length).toBeGreaterThan(30)
  expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(60)
  expect([...new Set(files.map((file) => room(file.path)))].filter((name) => !ROOMS.includes(name))).toEqual([])
})

test('a room imports only from itself and from rooms to its left', () => {
  const broken = files.flatMap((file) =>
    file.imports
      .filter(({ from }) => isRelative(from) && !target(file, from).startsWith('..'))
      .filter(({ from }) => ROOMS.indexOf(room(target(file, from))) > ROOMS.indexOf(room(file.path)))
      .map(({ from }) => `${file.path} imports ${from}`),
  )
  expect(broken).toEqual([])
})

test('the domain is pure: no package, no node module, no clock, no randomness, only types from config', () => {
  const broken = files
    .filter((file) => room(file.path) === 'domain')
    .flatMap((file) => [
      ...file.imports.filter(({ from }) => !isRelative(from)).map(({ from }) => `${file.path} imports ${from}`),
      ...file.imports
        .filter(({ from, typeOnly }) => isRelative(from) && room(target(file, from)) === 'config' && !typeOnly)
        .map(({ from }) => `${file.path} imports a value from ${from}`),
      ...[
        ...file.text.matchAll(
          /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.now|process\.|setTimeout|crypto\.|async |await )/g,
        ),
      ]
        .filter((found) => !isInComment(file.text, found.index))
        .map((found) => `${file.path} uses ${found[0]}`),
    ])
  expect(broken).toEqual([])
})

test('only the deciding functions clear a request, and only credentials and explain build a grant', () => {
  const importers = (name: RegExp): string[] =>
    files.filter((file) => file.imports.some(({ names }) => name.test(names))).map((file) => file.path)
  expect(importers(/\bclear\b/).filter((path) => !path.startsWith('domain/decision/'))).toEqual([])
  expect(
    importers(/\bgrantOf\b/).filter(
      (path) => !path.startsWith('credentials/') && path !== 'server/explain/stated-grant.ts',
    ),
  ).toEqual([])
})

test('values are imported without cycles', () => {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter(({ from, typeOnly }) => isRelative(from) && !typeOnly).map(({ from }) => target(file, from)),
    ]),
  )
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    else if (!done.has(path)) {
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
      done.add(path)
    }
  }
  for (const path of edges.keys()) visit(path, [])
  expect(cycles).toEqual([])
})

test(`no hand-written file is longer than ${LONGEST_FILE} lines, and none is a barrel or exports a default`, () => {
  const written = files.filter((file) => !file.path.includes('.generated.'))
  expect(written.filter((file) => file.text.split('\n').length > LONGEST_FILE).map((file) => file.path)).toEqual([])
  expect(
    written.filter((file) => /(^|\/)(index|utils?|helpers?|common)\.ts$/.test(file.path)).map((file) => file.path),
  ).toEqual([])
  expect(written.filter((file) => /^export default/m.test(file.text)).map((file) => file.path)).toEqual([])
})

function isInComment(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', at) + 1, at).trimStart()
  return line.startsWith('//') || line.startsWith('*') || line.startsWith('/*') || line.includes(' //')
}
