// Narrowing: a search rewritten so that an honest server finds only what the scopes cover (spec §3.4, §4.5). Clauses are appended,
// a list of patients is cut to the caller's own, and nothing of the caller's is ever widened or dropped. Narrowing saves work and
// keeps pages full; it is never taken as proof, which is for `guard.ts`.

import type { Definitions } from '../fhir/definitions.ts'
import { isOwn, parseReference } from '../fhir/literal-reference.ts'
import { parseAtoms, splitUnescaped } from '../fhir/search-value.ts'
import { clauseImplies } from '../fhir/token-implication.ts'
import type { Parameter } from '../http/request-target.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { TypeLimit } from './limit.ts'
import { type PatientParameters, patientClause, patientParameters, patientsNamed } from './patient-clause.ts'

export interface Narrowed {
  readonly parameters: readonly Parameter[]
  /** What was added, for `explain`. */
  readonly appended: readonly Parameter[]
  /** Whether a server that honours every parameter finds exactly what the limits allow, no less and no more. */
  readonly exact: boolean
}

export interface Searched {
  readonly type: string
  readonly definitions: Definitions
  readonly ownBases: readonly string[]
}

/** `limits`: an OR of at least one. */
export function narrow(
  asked: readonly Parameter[],
  limits: readonly TypeLimit[],
  searched: Searched,
): Narrowed | Refusal {
  const given = asked.map((parameter) => withRelativeValue(parameter, searched))
  const link = patientParameters(searched.type, searched.definitions)
  const patients = sharedPatients(limits)
  const cut =
    patients === undefined || link === undefined ? given : keepOwnPatients(given, link, patients, searched.ownBases)
  if (cut === undefined) {
    return refuse('patient-mismatch', 'The search names another patient than the one that the token is for.')
  }
  const isImplied = (clause: Wanted): boolean => implies(cut, clause, link, searched)
  const wanted = limits.map((limit) => clausesOf(limit, link, searched.ownBases))
  if (wanted.some((clauses) => clauses.every(isImplied))) return { parameters: cut, appended: [], exact: true }
  const { clauses, exact } = combine(wanted, isImplied)
  const appended = clauses.filter((clause) => !isImplied(clause)).map(({ parameter }) => parameter)
  const provable = limits.every((limit) => limit.patients === undefined || link !== undefined)
  return { parameters: [...cut, ...appended], appended, exact: exact && provable }
}

/** A clause that the search should have. */
interface Wanted {
  readonly parameter: Parameter
  /** Set for the clause that names the patients. */
  readonly patients?: readonly string[]
}

function clausesOf(
  { patients, clauses }: TypeLimit,
  link: PatientParameters | undefined,
  ownBases: readonly string[],
): readonly Wanted[] {
  const wanted = clauses.map(
    ({ parameter: { code, kind }, value }): Wanted => ({
      parameter: { name: code, value: kind === 'reference' ? relativeValue(value, ownBases) : value },
    }),
  )
  if (patients === undefined || link === undefined) return wanted
  return [{ parameter: patientClause(link, patients), patients }, ...wanted]
}

/**
 * One conjunction of clauses for an OR of conjunctions: what all have in common, and for a parameter that stands exactly once in
 * each, the union of its values. Exact when no more than one parameter differs (spec §3.4).
 */
function combine(
  wanted: readonly (readonly Wanted[])[],
  isImplied: (clause: Wanted) => boolean,
): { clauses: readonly Wanted[]; exact: boolean } {
  const [first = [], ...others] = wanted
  if (others.length === 0) return { clauses: first, exact: true }
  const common = first.filter((clause) => others.every((clauses) => clauses.some((other) => same(clause, other))))
  const rests = wanted.map((clauses) => clauses.filter((clause) => !common.some((one) => same(clause, one))))
  // With what all have in common, the search lies within this one.
  if (rests.some((rest) => rest.every(isImplied))) return { clauses: common, exact: true }
  const names = new Set(rests.flat().map(({ parameter }) => parameter.name))
  const unions = [...names].flatMap((name): Wanted[] => {
    const each = rests.map((rest) => rest.filter(({ parameter }) => parameter.name === name))
    if (each.some(({ length }) => length !== 1)) return []
    return [{ parameter: { name, value: unionOf(each.map(([clause]) => clause!.parameter.value)) } }]
  })
  const exact = names.size === 1 && unions.length === 1 && rests.every(({ length }) => length === 1)
  return { clauses: [...common, ...unions], exact }
}

function same(a: Wanted, b: Wanted): boolean {
  return a.parameter.name === b.parameter.name && a.parameter.value === b.parameter.value
}

function unionOf(values: readonly string[]): string {
  return [...new Set(values.flatMap((value) => splitUnescaped(value, ',')))].join(',')
}

function implies(
  given: readonly Parameter[],
  clause: Wanted,
  link: PatientParameters | undefined,
  searched: Searched,
): boolean {
  const { patients } = clause
  if (patients !== undefined && link !== undefined) {
    return given.some(
      (parameter) => patientsNamed(parameter, link, searched.ownBases)?.every((id) => patients.includes(id)) === true,
    )
  }
  const { name, value } = clause.parameter
  const kind = searched.definitions.searchParameter(searched.type, name)?.kind
  const wide = kind && parseAtoms(kind, value)
  if (kind === undefined || wide === undefined) return false
  return given.some((parameter) => {
    const mine = parameter.name === name ? parseAtoms(kind, parameter.value) : undefined
    return mine !== undefined && mine.length > 0 && clauseImplies(mine, wide)
  })
}

/** The patients that every limit allows alike; undefined when the limits differ, so that no clause of the caller may be touched. */
function sharedPatients(limits: readonly TypeLimit[]): readonly string[] | undefined {
  const [first, ...others] = limits.map(({ patients }) => patients)
  return first !== undefined && others.every((patients) => patients?.join() === first.join()) ? first : undefined
}

/** A list such as `patient=P,Q` becomes `patient=P`; undefined when a clause names only others. */
function keepOwnPatients(
  given: readonly Parameter[],
  link: PatientParameters,
  patients: readonly string[],
  ownBases: readonly string[],
): readonly Parameter[] | undefined {
  const kept: Parameter[] = []
  for (const parameter of given) {
    const named = patientsNamed(parameter, link, ownBases)
    if (named === undefined || named.every((id) => patients.includes(id))) {
      kept.push(parameter)
      continue
    }
    const values = splitUnescaped(parameter.value, ',').filter((_, index) => patients.includes(named[index]!))
    if (values.length === 0) return undefined
    kept.push({ name: parameter.name, value: values.join(',') })
  }
  return kept
}

function withRelativeValue(parameter: Parameter, { type, definitions, ownBases }: Searched): Parameter {
  const { name, value } = parameter
  if (!value.includes('://') || definitions.searchParameter(type, name.split(':', 1)[0]!)?.kind !== 'reference')
    return parameter
  return { name, value: relativeValue(value, ownBases) }
}

/** References below our own base are written as the server behind us knows them, which need not know our base. */
function relativeValue(value: string, ownBases: readonly string[]): string {
  if (!value.includes('://')) return value
  const relative = splitUnescaped(value, ',').map((one) => {
    const reference = parseReference(one)
    return reference !== undefined && isOwn(reference, ownBases) ? `${reference.type}/${reference.id}` : one
  })
  return relative.join(',')
}
