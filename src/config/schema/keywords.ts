// The builders that the route map's schema is written with: few, so that validator, decoder and JSON Schema need to know few
// keywords. Every key takes the one-line description that editors show.
import Type, { type Static, type TArray, type TOptional, type TProperties, type TSchema, type TUnion } from 'typebox'
import type { Defaulted, Effective, Keywords, Shaped, Spelled } from './effective.ts'

type Options = Omit<Keywords, 'description'>

export const text = (description: string, options: Options = {}) =>
  Type.String({ description, minLength: 1, ...(options as object) })

/** A text that must never be shown. */
export const secret = (description: string) => text(description, { '~secret': true })

export const flag = (description: string) => Type.Boolean({ description })

export const count = (description: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ description, minimum, maximum })

export const choice = <const Values extends string[]>(values: [...Values], description: string) =>
  Type.Enum(values, { description, type: 'string' })

export const list = <Item extends TSchema>(items: Item, description: string, options: Options = {}) =>
  Type.Array(items, { description, ...(options as object) })

/** A map with exactly these keys. */
export const section = <Properties extends TProperties>(properties: Properties, description: string) =>
  Type.Object(properties, { description, additionalProperties: false })

/** A map whose keys are names that the user chooses; `keys` is what they look like. */
export const named = <Value extends TSchema>(value: Value, description: string, keys: Options = {}) =>
  Type.Record(Type.String(keys.pattern ? { pattern: keys.pattern } : {}), value, {
    description,
    additionalProperties: false,
    ...(keys['~expected'] ? { '~expectedKey': keys['~expected'] } : {}),
  })

export const either = <Branches extends TSchema[]>(
  branches: [...Branches],
  description: string,
  options: Options = {},
) => Type.Union(branches, { description, ...(options as object) })

export const optional = <S extends TSchema>(schema: S): S & TOptional => Type.Optional(schema) as S & TOptional

/** A key that may be left out; `value` is what it then says, written as a user would. */
export const defaulted = <S extends TSchema>(schema: S, value: Static<S>): S & TOptional & Defaulted =>
  Type.Optional({ ...hidden(schema), default: value } as S) as S & TOptional & Defaulted

/** Gives `schema` an effective value of another shape. */
export const shaped = <S extends TSchema, Out>(schema: S, shape: (value: Effective<S>) => Out): S & Shaped<Out> =>
  Object.assign(schema, { '~shape': shape })

/** A text with a grammar of its own: `parse` gives its effective value, or `undefined` when it does not fit. */
export const parsed = <Out>(
  parse: (text: string) => Out,
  description: string,
  options: Options & { '~expected': string },
) => shaped(text(description, options), parse as (value: string) => Out)

/** A section (or list) that may be written short. `spell` makes the long form; `undefined` says nothing at all. */
export const shorthand = <Short extends TSchema, Long extends TSchema>(
  short: Short,
  long: Long,
  spell: (short: Static<Short>) => Static<Long> | undefined,
  description: string,
  options: Options = {},
): TUnion<[Short, Long]> & Spelled<Long> =>
  Object.assign(either([short, long], description, options), { '~spell': spell } as unknown as Spelled<Long>)

/** One value or a list of them; effectively always a list. */
export const oneOrMany = <Item extends TSchema>(item: Item, description: string) =>
  shorthand(item, list(item, description, { minItems: 1 }), (one) => [one] as Static<TArray<Item>>, description)

// TypeBox keeps its own marks in properties that do not show; a copy must keep them too.
function hidden<S extends TSchema>(schema: S): S {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema)) as S
}
