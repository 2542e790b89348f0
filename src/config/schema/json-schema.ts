// The published JSON Schema: the route map's schema without the keywords that only this program reads, and open to references to the
// environment wherever they may stand.
import { RouteMap } from './route-map.ts'

export function jsonSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'scopegate route map',
    ...(published(RouteMap) as object),
  }
}

/** `${NAME}` or `${NAME:-default}` somewhere in a text. */
const REFERENCE = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}' }

type JsonSchema = Readonly<Record<string, unknown>>

function published(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(published)
  if (typeof schema !== 'object' || schema === null) return schema
  const own = Object.entries(schema).filter(([key]) => !key.startsWith('~'))
  const plain = Object.fromEntries(own.map(([key, value]) => [key, key === 'default' ? value : published(value)]))
  return isNarrow(plain) ? orReference(plain) : plain
}

// A number, a switch or a text with a form of its own; other texts take references anyhow.
const isNarrow = ({ type, pattern, enum: values, const: constant }: JsonSchema): boolean =>
  constant === undefined &&
  (type === 'integer' || type === 'boolean' || (type === 'string' && (pattern ?? values) !== undefined))

function orReference({ description, default: standard, ...narrow }: JsonSchema): JsonSchema {
  const annotations = {
    ...(description ? { description } : {}),
    ...(standard === undefined ? {} : { default: standard }),
  }
  return { ...annotations, anyOf: [narrow, REFERENCE] }
}
