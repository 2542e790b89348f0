// Turns a validated route map into its effective value: defaults filled in, units resolved, shorthands spelled out.
import type { TSchema } from 'typebox'
import { branchOf } from './branch.ts'
import type { Effective, Keywords } from './effective.ts'

/** The effective value of `written`, which must have been validated against `schema` before. */
export function decode<S extends TSchema>(schema: S, written: unknown): Effective<S> {
  return decodeAny(schema as Keywords, written) as Effective<S>
}

function decodeAny(given: Keywords, short: unknown): unknown {
  const { schema, written } = spelled(given, short)
  if (written === undefined) return undefined
  const value = decodePlain(schema, written)
  return schema['~shape'] ? schema['~shape'](value as never) : value
}

/** The long form of what may be written short; `undefined` when it says nothing. */
export function spelled(schema: Keywords, written: unknown): { readonly schema: Keywords; readonly written: unknown } {
  const [short, long] = schema['~spell'] ? (schema.anyOf ?? []) : []
  if (long === undefined || schema['~spell'] === undefined) return { schema, written }
  return {
    schema: long,
    written: branchOf([short!, long], written) === short ? schema['~spell'](written as never) : written,
  }
}

function decodePlain(schema: Keywords, written: unknown): unknown {
  if (schema.anyOf) return decodeAny(branchOf(schema.anyOf, written) ?? {}, written)
  if (schema.items) return present(written as unknown[]).map((item) => decodeAny(schema.items ?? {}, item))
  if (schema.properties) return decodeProperties(schema.properties, written as Record<string, unknown>)
  const values = schema.patternProperties && Object.values(schema.patternProperties)[0]
  if (values) return Object.fromEntries(Object.entries(written as object).map(([k, v]) => [k, decodeAny(values, v)]))
  return written
}

function decodeProperties(properties: Record<string, Keywords>, written: Record<string, unknown>): object {
  const out: Record<string, unknown> = {}
  for (const [key, schema] of Object.entries(properties)) {
    const value = Object.hasOwn(written, key) ? written[key] : schema.default
    const effective = value === undefined ? undefined : decodeAny(schema, value)
    if (effective !== undefined) out[key] = effective
  }
  return out
}

// An item that came out of the environment empty counts as not written.
const present = (items: readonly unknown[]): readonly unknown[] => items.filter((item) => item !== undefined)
