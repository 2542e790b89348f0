// Dates as FHIR searches compare them: as ranges as wide as their precision, with the prefixes eq ne gt lt ge le sa eb (R4 search
// §3.1.1.4.7). A date without a time zone is in the zone of the server, which nobody tells us: beside a date with a zone it
// matches only when it would in every zone on earth. `ap` means what each server wants, so it is not read.

export type DatePrefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb'

/** From `start` up to, and not including, `end`, in milliseconds since 1970; open sides are infinite. */
export interface DateRange {
  readonly start: number
  readonly end: number
  /** Whether the zone is known of both ends, of none, or of one only. */
  readonly zone: 'known' | 'unknown' | 'mixed'
}

export interface DateAtom {
  readonly kind: 'date'
  readonly prefix: DatePrefix
  readonly range: DateRange
}

const DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?$/
const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb)?(\d.*)$/

export function parseDateAtom(text: string): DateAtom | undefined {
  const match = PREFIXED.exec(text)
  const range = match === null ? undefined : parseDateRange(match[2]!)
  return range && { kind: 'date', prefix: (match![1] ?? 'eq') as DatePrefix, range }
}

export function parseDateRange(text: string): DateRange | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)))
  if (!isDate(year!, month ?? 1, day ?? 1) || (hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) > 59)
    return undefined
  const zone = match[8] === undefined ? 'unknown' : 'known'
  if (hour === undefined) {
    const end =
      day === undefined ? (month === undefined ? [year! + 1, 1, 1] : [year!, month + 1, 1]) : [year!, month!, day + 1]
    return { start: dayOf(year!, month ?? 1, day ?? 1), end: dayOf(end[0]!, end[1]!, end[2]!), zone }
  }
  const fraction = match[7]
  const time = ((hour * 60 + minute! - offsetOf(match[8])) * 60 + (second ?? 0)) * 1000
  const start = dayOf(year!, month!, day!) + time + (fraction === undefined ? 0 : Number(`0.${fraction}`) * 1000)
  return {
    start,
    end: start + (second === undefined ? 60_000 : fraction === undefined ? 1000 : 10 ** (3 - fraction.length)),
    zone,
  }
}

/** From the start of the one to the end of the other; undefined is open. Two open ends, or an end before the
 * start, are no range. */
export function spanOf(first: DateRange | undefined, last: DateRange | undefined): DateRange | undefined {
  if (first === undefined || last === undefined) {
    if (first !== undefined) return { ...first, end: Number.POSITIVE_INFINITY }
    return last && { ...last, start: Number.NEGATIVE_INFINITY }
  }
  if (last.end <= first.start) return undefined
  return { start: first.start, end: last.end, zone: first.zone === last.zone ? first.zone : 'mixed' }
}

/** Whether the value certainly stands in this relation to the atom. */
export function dateMatches({ prefix, range }: DateAtom, value: DateRange): boolean {
  const [least, most] = shiftOf(range, value)
  const contained = value.start + least >= range.start && value.end + most <= range.end
  switch (prefix) {
    case 'eq':
      return contained
    case 'ne':
      return value.start + most < range.start || value.end + least > range.end
    case 'gt':
      return value.end + least > range.end
    case 'lt':
      return value.start + most < range.start
    // Overlapping what is above, or contained; a value that starts inside is always one of the two.
    case 'ge':
      return value.end + least > range.end || value.start + least >= range.start
    case 'le':
      return value.start + most < range.start || value.end + most <= range.end
    case 'sa':
      return value.start + least >= range.end
    case 'eb':
      return value.end + most <= range.start
  }
}

const HOUR = 3_600_000

/** How much earlier and later than reckoned the value may lie, seen from the atom: zones reach from −12:00 to +14:00. */
function shiftOf(atom: DateRange, value: DateRange): readonly [least: number, most: number] {
  if (value.zone === 'mixed' || atom.zone === 'mixed') return [-26 * HOUR, 26 * HOUR]
  if (atom.zone === value.zone) return [0, 0]
  return value.zone === 'unknown' ? [-14 * HOUR, 12 * HOUR] : [-12 * HOUR, 14 * HOUR]
}

function dayOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day)
}

function isDate(year: number, month: number, day: number): boolean {
  // Date.UTC reads years below 100 as years of the last century.
  if (year < 100 || month < 1 || month > 12 || day < 1) return false
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function offsetOf(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return zone.startsWith('-') ? -minutes : minutes
}
