// Copies a JSON value with every absolute URL in it mapped; a URL that must not be shown leaves, with the property or list item
// that held it.

const ABSOLUTE = /^https?:\/\//i

export function mapUrls(value: unknown, mapUrl: (url: string) => string | undefined): unknown {
  if (typeof value === 'string') return ABSOLUTE.test(value) ? mapUrl(value) : value
  if (Array.isArray(value)) return value.map((item) => mapUrls(item, mapUrl)).filter((item) => item !== undefined)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value)
    .map(([name, member]): [string, unknown] => [name, mapUrls(member, mapUrl)])
    .filter(([, member]) => member !== undefined)
  return Object.fromEntries(kept)
}
