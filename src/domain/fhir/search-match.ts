// Whether a resource certainly matches a clause of a search or a scope: some element that the parameter looks at fits some
// alternative (R4 search §3.1.1.4; spec §3.1, §3.5(3)). What is missing, masked, misshapen or of another datatype fits nothing:
// the answer is true only where the resource itself proves it.

import type { ElementPath, SearchParameter } from './definitions-table.ts'
import { isObject, someElement } from './element-path.ts'
import { isOwn, parseReference } from './literal-reference.ts'
import { type DateRange, dateMatches, parseDateRange, spanOf } from './search-date.ts'
import {
  type Atom,
  foldText,
  type ReferenceAtom,
  type StringAtom,
  type TokenAtom,
  type UriAtom,
} from './search-value.ts'

/** Whether `evaluateClause` can ever say yes; a filter on any other parameter must grant nothing. */
export function isEvaluable({ kind, paths }: SearchParameter): boolean {
  return paths !== undefined && ['token', 'reference', 'string', 'date', 'uri'].includes(kind)
}

/** `ownBases`: absolute references below these are ours, as good as relative ones. */
export function evaluateClause(
  resource: unknown,
  parameter: SearchParameter,
  atoms: readonly Atom[],
  ownBases: readonly string[] = [],
): boolean {
  const { paths, targets } = parameter
  if (paths === undefined) return false
  for (const path of paths) {
    const accepts = (element: unknown): boolean =>
      element !== undefined && atoms.some((atom) => atomMatches(atom, element, path, targets, ownBases))
    if (someElement(resource, path, accepts)) return true
  }
  return false
}

function atomMatches(
  atom: Atom,
  element: unknown,
  path: ElementPath,
  targets: readonly string[],
  ownBases: readonly string[],
): boolean {
  switch (atom.kind) {
    case 'token':
      return tokenMatches(atom, element, path.datatype, path.system)
    case 'reference':
      return referenceMatches(atom, element, path, targets, ownBases)
    case 'string':
      return stringMatches(atom, element, path.datatype)
    case 'date': {
      const range = rangeOf(element, path.datatype)
      return range !== undefined && dateMatches(atom, range)
    }
    case 'uri':
      return uriMatches(atom, element)
  }
}

/** `implied`: the code system of an element of datatype `code`. */
export function tokenMatches(atom: TokenAtom, element: unknown, datatype: string, implied?: string): boolean {
  switch (datatype) {
    case 'CodeableReference':
      return isObject(element) && tokenMatches(atom, element['concept'], 'CodeableConcept')
    case 'CodeableConcept': {
      const codings = isObject(element) ? element['coding'] : undefined
      return Array.isArray(codings) && codings.some((coding) => tokenMatches(atom, coding, 'Coding'))
    }
    case 'Coding':
      return isObject(element) && partsMatch(atom, element['system'], element['code'], true)
    case 'Identifier':
      return isObject(element) && partsMatch(atom, element['system'], element['value'], false)
    case 'code':
      return atom.system === undefined
        ? element === atom.code
        : implied !== undefined && partsMatch(atom, implied, element, false)
    // Here a `|` SHALL NOT be used (R4 search §3.1.1.4.10), so a value that has one means nothing.
    case 'boolean':
      return (
        atom.system === undefined && (element === true ? 'true' : element === false ? 'false' : undefined) === atom.code
      )
    case 'ContactPoint':
      return isObject(element) && atom.system === undefined && element['value'] === atom.code
    default:
      return atom.system === undefined && element === atom.code
  }
}

function partsMatch({ system, code }: TokenAtom, givenSystem: unknown, given: unknown, concept: boolean): boolean {
  if (typeof given !== 'string' || !(givenSystem === undefined || typeof givenSystem === 'string')) return false
  if (system !== undefined && system !== (givenSystem ?? '')) return false
  if (code === undefined || code === given) return true
  return concept && !isCaseSensitive(givenSystem) && equalLetters(code, given)
}

// Code systems of FHIR itself are case-sensitive throughout, those of HL7 v2 left aside; of others, and of codes without a
// system, we do not know, and FHIR then asks for leniency (spec §3.5(3)).
function isCaseSensitive(system: string | undefined): boolean {
  if (system === undefined) return false
  if (system.startsWith('http://terminology.hl7.org/CodeSystem/')) return !system.startsWith('v2-', 38)
  return system.startsWith('http://hl7.org/fhir/')
}

// ASCII letters only: Unicode case folding makes codes equal that no code system means to be.
function equalLetters(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return lower(one) === lower(other)
}

function referenceMatches(
  atom: ReferenceAtom,
  element: unknown,
  path: ElementPath,
  targets: readonly string[],
  ownBases: readonly string[],
): boolean {
  if (path.datatype === 'CodeableReference') {
    return (
      isObject(element) &&
      referenceMatches(atom, element['reference'], { ...path, datatype: 'Reference' }, targets, ownBases)
    )
  }
  if (path.datatype !== 'Reference') return canonicalMatches(atom.reference, element)
  const text = isObject(element) ? element['reference'] : undefined
  if (typeof text !== 'string') return false
  const given = parseReference(text)
  // INVARIANT: `where(resolve() is T)` needs a type that can be read; a logical or contained reference proves none.
  if (path.only !== undefined && given?.type !== path.only) return false
  if (given === undefined || !isOwn(given, ownBases)) return text === atom.reference
  const wanted = parseReference(atom.reference)
  if (wanted !== undefined) return isOwn(wanted, ownBases) && wanted.type === given.type && wanted.id === given.id
  return atom.reference === given.id && (targets.length === 0 || targets.includes(given.type))
}

// A canonical without a version stands for every version of it.
function canonicalMatches(wanted: string, element: unknown): boolean {
  if (typeof element !== 'string') return false
  return element === wanted || (element.startsWith(wanted) && element[wanted.length] === '|')
}

const PARTS: Readonly<Record<string, readonly string[]>> = {
  HumanName: ['text', 'family', 'given', 'prefix', 'suffix'],
  Address: ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
}

function stringMatches(atom: StringAtom, element: unknown, datatype: string): boolean {
  const parts = PARTS[datatype]
  if (parts === undefined) return typeof element === 'string' && foldText(element).startsWith(atom.folded)
  if (!isObject(element)) return false
  return parts.some((part) => {
    const value = element[part]
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
    return texts.some((text) => typeof text === 'string' && foldText(text).startsWith(atom.folded))
  })
}

function uriMatches(atom: UriAtom, element: unknown): boolean {
  return element === atom.uri
}

function rangeOf(element: unknown, datatype: string): DateRange | undefined {
  if (datatype !== 'Period' && datatype !== 'Timing')
    return typeof element === 'string' ? parseDateRange(element) : undefined
  if (!isObject(element)) return undefined
  return datatype === 'Period' ? periodRange(element) : timingRange(element)
}

function periodRange(period: Readonly<Record<string, unknown>>): DateRange | undefined {
  const ends = ['start', 'end'].map((end) =>
    typeof period[end] === 'string' ? parseDateRange(period[end]) : undefined,
  )
  const unreadable = ['start', 'end'].some((end, at) => period[end] !== undefined && ends[at] === undefined)
  return unreadable ? undefined : spanOf(ends[0], ends[1])
}

// Only the outer limits of a schedule count; one that gives a rule instead of limits proves nothing.
function timingRange(timing: Readonly<Record<string, unknown>>): DateRange | undefined {
  const { event, repeat } = timing
  if (repeat !== undefined) {
    const bounds = isObject(repeat) ? repeat['boundsPeriod'] : undefined
    return event === undefined && isObject(bounds) ? periodRange(bounds) : undefined
  }
  if (!Array.isArray(event)) return undefined
  const ranges = event.map((one) => (typeof one === 'string' ? parseDateRange(one) : undefined))
  if (ranges.length === 0 || ranges.includes(undefined)) return undefined
  const sorted = (ranges as DateRange[]).sort((one, other) => one.start - other.start)
  return sorted.reduce((all, next) => ({
    start: all.start,
    end: Math.max(all.end, next.end),
    zone: all.zone === next.zone ? all.zone : 'mixed',
  }))
}
