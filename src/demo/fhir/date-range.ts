// A FHIR date as the half-open range of instants that it covers: 2024-03 is the whole of March. Without a time zone it
// is read as UTC.

import { asArray, isObject } from './resource.ts'

export interface DateRange {
  readonly start: number
  readonly end: number
}

const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

export function dateRange(text: string): DateRange | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  const y = Number(year)
  const mo = month === undefined ? 0 : Number(month) - 1
  const d = day === undefined ? 1 : Number(day)
  if (mo > 11 || mo < 0 || d < 1 || d > 31) return undefined
  if (month === undefined) return { start: Date.UTC(y, 0), end: Date.UTC(y + 1, 0) }
  if (day === undefined) return { start: Date.UTC(y, mo), end: Date.UTC(y, mo + 1) }
  const midnight = Date.UTC(y, mo, d)
  if (hour === undefined) return { start: midnight, end: midnight + 86_400_000 }
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second ?? 0) > 60) return undefined
  const millis = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000)
  const offset = zoneOffset(zone)
  const start = midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second ?? 0)) * 1000 + millis - offset
  const length = second === undefined ? 60_000 : fraction === undefined ? 1000 : 1
  return { start, end: start + length }
}

function zoneOffset(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

/** The range of a Period (open where it has no end) or of a Timing (its events, or its bounds). */
export function timingRange(element: unknown): DateRange | undefined {
  if (!isObject(element)) return undefined
  const { start, end, event, repeat } = element
  if (typeof start === 'string' || typeof end === 'string') {
    const from = typeof start === 'string' ? dateRange(start) : undefined
    const to = typeof end === 'string' ? dateRange(end) : undefined
    return { start: from?.start ?? Number.NEGATIVE_INFINITY, end: to?.end ?? Number.POSITIVE_INFINITY }
  }
  const events = asArray(event).flatMap((item) => (typeof item === 'string' ? (dateRange(item) ?? []) : []))
  if (events.length > 0) {
    return { start: Math.min(...events.map((e) => e.start)), end: Math.max(...events.map((e) => e.end)) }
  }
  return isObject(repeat) ? timingRange(repeat['boundsPeriod']) : undefined
}
