// Reads what an issuer publishes: its metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3) and its JWK Set.
// INVARIANT: addresses come from the route map, or from the metadata of an issuer that the route map names; never from a token.

import { readFile } from 'node:fs/promises'
import { Agent, type Dispatcher, request } from 'undici'
import { isLoopback } from '../config/schema/address.ts'

const MAXIMUM_SIZE = 512 * 1024
const TIMEOUT = 5_000

/** Messages tell an operator what is wrong and hold no address: an address may hold a secret. */
export class IssuerDocumentError extends Error {
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

export function createIssuerAgent(): Agent {
  return new Agent({
    connections: 2,
    keepAliveTimeout: 4_000,
    maxResponseSize: MAXIMUM_SIZE,
    // INVARIANT: TLS is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says: whose keys these are hangs on it.
    connect: { rejectUnauthorized: true },
  })
}

/** One GET without redirects, at most 512 KiB, over after `timeout` milliseconds whatever happens. */
export async function fetchJson(url: string, dispatcher: Dispatcher, timeout = TIMEOUT): Promise<unknown> {
  const signal = AbortSignal.timeout(timeout)
  try {
    const { statusCode, body } = await request(url, { dispatcher, signal, headers: { accept: 'application/json' } })
    if (statusCode !== 200) {
      await body.dump()
      throw new IssuerDocumentError(`answered ${statusCode}`, statusCode)
    }
    return parseJson(await body.text())
  } catch (error) {
    throw asDocumentError(error, signal.aborted)
  }
}

export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new IssuerDocumentError(`the file cannot be read (${error.code})`)
  })
  if (text.length > MAXIMUM_SIZE) throw new IssuerDocumentError('the file is too large')
  return parseJson(text)
}

/** The issuer's metadata; its `issuer` must equal the configured one exactly (OpenID Connect Discovery §4.3, RFC 8414 §3.3). */
export async function discoverIssuer(
  issuer: string,
  dispatcher: Dispatcher,
): Promise<Readonly<Record<string, unknown>>> {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  const metadata = await fetchJson(`${base}/.well-known/openid-configuration`, dispatcher).catch((error) => {
    if (!(error instanceof IssuerDocumentError) || error.status !== 404) throw error
    const { origin, pathname } = new URL(base)
    const path = pathname === '/' ? '' : pathname
    return fetchJson(`${origin}/.well-known/oauth-authorization-server${path}`, dispatcher)
  })
  if (typeof metadata !== 'object' || metadata === null) throw new IssuerDocumentError('the metadata is no JSON object')
  if ((metadata as { issuer?: unknown }).issuer !== issuer) {
    throw new IssuerDocumentError('the metadata names another issuer')
  }
  return metadata as Record<string, unknown>
}

/** `jwks_uri` of the metadata: https, or http on loopback. */
export function jwksUriOf(metadata: Readonly<Record<string, unknown>>): string {
  const uri = metadata['jwks_uri']
  if (typeof uri !== 'string' || !URL.canParse(uri)) throw new IssuerDocumentError('the metadata names no jwks_uri')
  const { protocol } = new URL(uri)
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(uri))) return uri
  throw new IssuerDocumentError('the jwks_uri is not https')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new IssuerDocumentError('it is not JSON')
  }
}

/** Whatever went wrong, as an operator may read it. */
export function asDocumentError(error: unknown, timedOut: boolean): IssuerDocumentError {
  if (error instanceof IssuerDocumentError) return error
  if (timedOut) return new IssuerDocumentError('no answer in time')
  const code = (error as { code?: unknown }).code
  return new IssuerDocumentError(typeof code === 'string' ? `the fetch failed (${code})` : 'the fetch failed')
}
