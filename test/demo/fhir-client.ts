// A small client for the tests: one call, one decoded answer.

import type { Resource } from '../../src/demo/fhir/resource.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any
}

export interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: object | string
}

export async function call(url: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
  const type =
    typeof body === 'object' && headers['content-type'] === undefined ? { 'content-type': 'application/fhir+json' } : {}
  const response = await fetch(url, {
    method,
    headers: { ...type, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson =
    /json/.test(response.headers.get('content-type') ?? '') &&
    !/ndjson/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}

/** `Type/id` of the matches (or of the included) of a searchset, in order. */
export function keys({ body }: Answer, mode = 'match'): string[] {
  const entries: { resource: Resource; search: { mode: string } }[] = body.entry ?? []
  return entries
    .filter((entry) => entry.search.mode === mode)
    .map(({ resource }) => `${resource.resourceType}/${resource.id}`)
}

export function link({ body }: Answer, relation: string): string | undefined {
  return body.link.find((candidate: { relation: string }) => candidate.relation === relation)?.url
}
