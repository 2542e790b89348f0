// The shape that every FHIR resource shares, and how to look into one without trusting it.

/** A FHIR resource as JSON; everything beyond its type, id and meta is read with care. */
export interface Resource {
  resourceType: string
  id?: string
  meta?: Record<string, unknown>
  [element: string]: unknown
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asArray(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]
}

export function isResource(value: unknown): value is Resource {
  return isObject(value) && typeof value['resourceType'] === 'string'
}
