// A client may name a resource of this server by its full address; kept is the relative reference, so that it still
// means the same when the server is reached under another address.

import { isObject, type Resource } from './resource.ts'

export function relativeReferences(resource: Resource, base: string): Resource {
  if (!JSON.stringify(resource).includes(`"${base}/`)) return resource
  return mapReferences(resource, (reference) =>
    reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference,
  ) as Resource
}

/** A copy in which every `reference` string went through `map`. */
export function mapReferences(value: unknown, map: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapReferences(item, map))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'reference' && typeof item === 'string' ? map(item) : mapReferences(item, map),
    ]),
  )
}
