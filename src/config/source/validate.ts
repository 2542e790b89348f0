// Holds a written route map against its schema and says everything that is wrong, each with what to write instead. What is sound
// is handed on (unknown and broken keys left out), so that later checks still run on the rest of a broken map.
import type { TSchema } from 'typebox'
import { branchOf, jsonType } from '../schema/branch.ts'
import type { Keywords } from '../schema/effective.ts'
import { UNREADABLE } from './environment.ts'
import { suggestion } from './nearest.ts'
import type { Path, Report } from './problem.ts'

export interface Inspection {
  readonly report: Report
  /** How a value that came from the environment is written. */
  readonly writtenAt: (path: Path) => string | undefined
}

/** The sound part of `written`; `undefined` when nothing of it is. */
export function soundPart(schema: TSchema, written: unknown, inspection: Inspection): unknown {
  return validate(schema as Keywords, written, [], inspection)
}

function validate(schema: Keywords, written: unknown, path: Path, inspection: Inspection): unknown {
  if (written === UNREADABLE) return undefined
  const value = inspection.writtenAt(path) === undefined ? written : typed(schema, written as string)
  const type = jsonType(value)
  if (schema.anyOf) {
    const branch = branchOf(schema.anyOf, value)
    return branch
      ? validate(withoutHelp(branch, schema), written, path, inspection)
      : refuse(schema, value, path, inspection)
  }
  if (schema.type !== undefined && schema.type !== type && !(schema.type === 'number' && type === 'integer')) {
    return refuse(schema, value, path, inspection)
  }
  if (Array.isArray(value)) return validateItems(schema, value, path, inspection)
  if (type === 'object' && schema.properties) return validateSection(schema, value as Written, path, inspection)
  if (type === 'object') return validateNamed(schema, value as Written, path, inspection)
  return fits(schema, value) ? value : refuse(schema, value, path, inspection)
}

type Written = Readonly<Record<string, unknown>>

function validateItems(schema: Keywords, items: readonly unknown[], path: Path, inspection: Inspection): unknown {
  if (items.filter((item) => item !== undefined).length < (schema.minItems ?? 0))
    return void inspection.report(path, 'expected at least one item, got an empty list')
  return items.map((item, index) =>
    item === undefined ? undefined : validate(schema.items ?? {}, item, [...path, index], inspection),
  )
}

function validateSection(schema: Keywords, written: Written, path: Path, inspection: Inspection): unknown {
  const properties = schema.properties ?? {}
  const known = Object.keys(properties)
  for (const key of Object.keys(written)) {
    if (Object.hasOwn(properties, key)) continue
    const free = known.filter((name) => !Object.hasOwn(written, name))
    inspection.report([...path, key], `unknown key "${key}"${suggestion(key, free)}`, 'key')
  }
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(written, key)) {
      const source = inspection.writtenAt([...path, key])
      const why = source === undefined ? (properties[key]?.description ?? '') : `${source} came out empty`
      inspection.report(source === undefined ? path : [...path, key], `missing key "${key}": ${why}`, 'key')
    }
  }
  return sound(
    known
      .filter((key) => Object.hasOwn(written, key))
      .map((key) => {
        const value = written[key]
        if (value !== null) return [key, validate(properties[key] ?? {}, value, [...path, key], inspection)]
        return [
          key,
          void inspection.report([...path, key], `"${key}" has no value; give it one or remove the key`, 'key'),
        ]
      }),
  )
}

function validateNamed(schema: Keywords, written: Written, path: Path, inspection: Inspection): unknown {
  const [pattern = '', values = {}] = Object.entries(schema.patternProperties ?? {})[0] ?? []
  return sound(
    Object.entries(written).map(([key, value]) => {
      if (!new RegExp(pattern).test(key)) {
        return [
          key,
          void inspection.report(
            [...path, key],
            `expected ${schema['~expectedKey'] ?? 'a name'} as key, got "${key}"`,
            'key',
          ),
        ]
      }
      return [key, validate(values, value, [...path, key], inspection)]
    }),
  )
}

const sound = (entries: readonly (readonly [string, unknown])[]): object =>
  Object.fromEntries(entries.filter(([, value]) => value !== undefined))

function fits(schema: Keywords, value: unknown): boolean {
  if (schema.const !== undefined && value !== schema.const) return false
  if (schema.enum && !schema.enum.includes(value)) return false
  if (typeof value === 'number') return value >= (schema.minimum ?? value) && value <= (schema.maximum ?? value)
  if (typeof value !== 'string') return true
  if (value.length < (schema.minLength ?? 0)) return false
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) return false
  return schema['~shape'] === undefined || schema['~shape'](value as never) !== undefined
}

function refuse(schema: Keywords, value: unknown, path: Path, { report, writtenAt }: Inspection): undefined {
  const near = schema.enum && typeof value === 'string' ? suggestion(value, schema.enum as string[]) : ''
  report(
    path,
    `expected ${expectation(schema)}, got ${shown(schema, writtenAt(path) ?? value)}${near.startsWith('; did') ? near : ''}`,
  )
}

export function expectation(schema: Keywords): string {
  if (schema['~expected']) return schema['~expected']
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.length === 1 ? String(schema.enum[0]) : `one of ${schema.enum.join(', ')}`
  if (schema.anyOf) return schema.anyOf.map(expectation).join(' or ')
  if (schema.type === 'integer') return `a whole number${range(schema)}`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'array') return `a list of ${expectation(schema.items ?? {}).replace(/^an? /, '')}`
  if (schema.type === 'object')
    return schema.properties ? `a map with ${Object.keys(schema.properties).join(', ')}` : 'a map'
  return 'a text'
}

function range({ minimum, maximum }: Keywords): string {
  if (minimum === undefined) return ''
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? ` of at least ${minimum}`
    : ` from ${minimum} to ${maximum}`
}

// Never more of a value than helps to find it, and nothing of a secret.
function shown(schema: Keywords, value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a map'
  if (schema['~secret']) return 'a value that is not shown'
  const text = String(value)
  return typeof value === 'string' ? JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text) : text
}

// The environment only holds texts: one that stands where a number or a switch belongs is read as that.
function typed(schema: Keywords, text: string): unknown {
  const takes = (type: string): boolean => [schema, ...(schema.anyOf ?? [])].some((branch) => branch.type === type)
  if (takes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (takes('integer') && /^-?\d{1,15}$/.test(text)) return Number(text)
  return text
}

// In a union it is the whole choice that a user is told about, unless the branch knows better.
function withoutHelp(branch: Keywords, union: Keywords): Keywords {
  const help =
    branch['~expected'] ?? (branch.type === 'object' || branch.type === 'array' ? undefined : expectation(union))
  return help === undefined ? branch : { ...branch, '~expected': help }
}
