// What a schema means once a route map is read: its *effective* type, with defaults filled, durations in milliseconds, sizes in
// bytes and shorthands spelled out. It is derived from the schema, so there is one truth for JSON Schema, raw and effective type;
// `decode.ts` makes the values.
import type { Static, TArray, TObject, TOptional, TRecord, TSchema, TUnion } from 'typebox'

/** A schema whose effective value differs from what is written. For strings, `undefined` means that the text is not acceptable. */
export interface Shaped<Out> {
  '~shape': (written: never) => Out
}

/** A schema that may be written short: it means what its long form means. */
export interface Spelled<Long> {
  '~long': Long
}

/** An optional key that always has an effective value. */
export interface Defaulted {
  '~defaulted': true
}

type OptionalKey<P> = { [K in keyof P]: P[K] extends Defaulted ? never : P[K] extends TOptional ? K : never }[keyof P]

type Flat<T> = { [K in keyof T]: T[K] } & {}

type EffectiveObject<P> = Flat<
  { readonly [K in Exclude<keyof P, OptionalKey<P>>]: Effective<P[K]> } & {
    readonly [K in OptionalKey<P>]?: Effective<P[K]>
  }
>

export type Effective<S> =
  S extends Shaped<infer Out>
    ? Exclude<Out, undefined>
    : S extends Spelled<infer Long>
      ? Effective<Long>
      : S extends TObject<infer P>
        ? EffectiveObject<P>
        : S extends TArray<infer Item>
          ? readonly Effective<Item>[]
          : S extends TRecord<string, infer Value>
            ? Readonly<Record<string, Effective<Value>>>
            : S extends TUnion<infer Branches>
              ? Effective<Branches[number]>
              : S extends TSchema
                ? Static<S>
                : never

/** The keywords that validator and decoder read. Those that begin with "~" are ours and never reach `routes.schema.json`. */
export interface Keywords {
  readonly type?: 'string' | 'boolean' | 'integer' | 'number' | 'array' | 'object'
  readonly description?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minProperties?: number
  readonly items?: Keywords
  readonly properties?: Record<string, Keywords>
  readonly required?: readonly string[]
  readonly patternProperties?: Record<string, Keywords>
  readonly anyOf?: readonly Keywords[]
  readonly default?: unknown
  readonly '~shape'?: (written: never) => unknown
  /** Of a union of a short and a long form: makes the long form of a short one; `undefined` when it says nothing. */
  readonly '~spell'?: (short: never) => unknown
  /** What a reader is told to write instead. */
  readonly '~expected'?: string
  /** The same for the names in a map of named things. */
  readonly '~expectedKey'?: string
  /** Never printed, neither in messages nor by `check --effective`. */
  readonly '~secret'?: true
}
