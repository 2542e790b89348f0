// Reads an upstream's CapabilityStatement. The URLs of one upstream serve the same, so the first that answers will do.

import { type Dispatcher, request } from 'undici'
import type { FhirRoute, Upstream } from '../../config/settings.ts'
import { isCapabilityStatement } from '../../domain/discovery/capability-statement.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { OwnToken } from '../../proxy/own-token.ts'

export type Statement = Readonly<Record<string, unknown>>

export const LARGEST_STATEMENT = 16 * 1024 * 1024
const TIMEOUT = 10_000

/** Messages hold no address: they go to the log, and an address may hold a secret. */
export class MetadataError extends Error {}

export async function fetchUpstreamMetadata(
  upstream: Upstream,
  authorization: FhirRoute['authorization'],
  ownToken: OwnToken | undefined,
  dispatcher: Dispatcher,
): Promise<Statement> {
  const headers: Record<string, string> = { accept: 'application/fhir+json', 'user-agent': 'scopegate' }
  if (typeof authorization === 'object' && 'bearer' in authorization) {
    headers['authorization'] = `Bearer ${authorization.bearer}`
  }
  if (ownToken !== undefined) {
    const token = await ownToken.get()
    if (isRefusal(token)) throw new MetadataError('the token of the gateway for it cannot be had')
    headers['authorization'] = `Bearer ${token}`
  }
  let failure = new MetadataError('the upstream has no URL')
  for (const url of upstream.url) {
    try {
      return await fetchStatement(`${url}/metadata`, headers, dispatcher)
    } catch (error) {
      failure = asMetadataError(error)
    }
  }
  throw failure
}

async function fetchStatement(
  url: string,
  headers: Record<string, string>,
  dispatcher: Dispatcher,
): Promise<Statement> {
  const { statusCode, body } = await request(url, { dispatcher, headers, signal: AbortSignal.timeout(TIMEOUT) })
  if (statusCode !== 200) {
    await body.dump()
    throw new MetadataError(
      `its metadata answered ${statusCode}${statusCode === 404 ? '; does its URL end with its FHIR base?' : ''}`,
    )
  }
  const statement: unknown = JSON.parse(await body.text())
  if (!isCapabilityStatement(statement)) throw new MetadataError('its metadata is no CapabilityStatement')
  return statement
}

function asMetadataError(error: unknown): MetadataError {
  if (error instanceof MetadataError) return error
  if (error instanceof SyntaxError) return new MetadataError('its metadata is not JSON')
  const code = (error as { code?: unknown }).code
  if ((error as Error).name === 'TimeoutError') return new MetadataError('its metadata did not come in time')
  return new MetadataError(`its metadata cannot be fetched${typeof code === 'string' ? ` (${code})` : ''}`)
}
