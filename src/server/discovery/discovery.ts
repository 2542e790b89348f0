// The documents that are open to everyone (contract §5), found by their exact path before anything is authenticated: SMART
// configuration and CapabilityStatement of each FHIR route, and the metadata of each protected resource. What other servers say
// in them is fetched in the background; a request never makes the gateway ask more than once a second. What was fetched outlives a
// reload that leaves the server as it is, so that a new generation has its documents at once.

import { Agent } from 'undici'
import type { FhirRoute, Issuer, Route, Settings } from '../../config/settings.ts'
import { PROOF_ALGORITHMS } from '../../credentials/dpop-proof.ts'
import { createIssuerAgent, discoverIssuer } from '../../credentials/issuer-documents.ts'
import { patchCapabilityStatement } from '../../domain/discovery/capability-statement.ts'
import { ENFORCED, type Enforced } from '../../domain/discovery/enforced.ts'
import { endpointsOf, type IssuerMetadata } from '../../domain/discovery/issuer-metadata.ts'
import { protectedResource, resourcePathOf } from '../../domain/discovery/protected-resource.ts'
import { smartConfiguration } from '../../domain/discovery/smart-configuration.ts'
import { metadataPath, protectedResourcePath, smartConfigurationPath } from '../../domain/discovery/well-known.ts'
import { refuse } from '../../domain/refusal.ts'
import type { OwnToken } from '../../proxy/own-token.ts'
import { compilePublicUrls } from '../../proxy/public-url.ts'
import { connectOptions, type UpstreamTls } from '../../proxy/upstream-tls.ts'
import { Keeper, type Lease } from '../generations/keeper.ts'
import { type KeptCopy, keepCopy } from './kept-copy.ts'
import {
  answerWith,
  answerWithoutDocument,
  OPEN_TO_EVERY_ORIGIN,
  type OpenDocument,
  type Printed,
  printDocument,
  refuseOtherFormats,
} from './open-document.ts'
import { fetchUpstreamMetadata, LARGEST_STATEMENT, type Statement } from './upstream-metadata.ts'

export interface Discovery {
  /** The open document at that path, if there is one. */
  find(path: string): OpenDocument | undefined
  /** Absolute URL of the metadata of what a route protects, for challenges. */
  resourceMetadata(route: Route): string
  close(): Promise<void>
}

export interface DiscoveryOptions {
  /** After each attempt to fetch `what` (`metadata of nexus`, `discovery of ehr`); `error` is undefined when it succeeded. */
  readonly onFetch?: (what: string, error: unknown) => void
  readonly enforced?: Enforced
  /** Nothing is fetched before somebody asks for a document that needs it: for `explain`, which works offline. */
  readonly lazy?: boolean
  /** What TLS towards upstreams is spoken with, by their names. */
  readonly upstreamTls?: ReadonlyMap<string, UpstreamTls> | undefined
  /** The gateway's own token on a route that asks for one. */
  readonly ownTokenOf?: (route: Route) => OwnToken | undefined
  /** Holds the copies, for several generations; they are closed with it. Left out: those of this one alone. */
  readonly lease?: Lease
}

const JSON_TYPE = 'application/json'
const FHIR_TYPE = 'application/fhir+json; charset=utf-8'
const RETRY_SECONDS = 5

export function createDiscovery(settings: Settings, options: DiscoveryOptions = {}): Discovery {
  const { onFetch, lazy = false } = options
  const enforced = options.enforced ?? { ...ENFORCED, crossOrigin: (settings.cors?.origins.length ?? 0) > 0 }
  const lease = options.lease ?? new Keeper().lease()
  const issuerAgent = lease.part('agent for issuers', undefined, createIssuerAgent, (agent) => agent.destroy())
  const documents = new Map<string, OpenDocument>()

  function copyOf<T>(what: string, from: unknown, fetch: () => Promise<T>): KeptCopy<T> {
    const onAttempt = (error: unknown): void => onFetch?.(what, error)
    return lease.part(
      what,
      from,
      () => keepCopy<T>({ fetch, lazy, onAttempt }),
      (copy) => copy.close(),
    )
  }

  function issuerCopy({ name, issuer }: Issuer): KeptCopy<IssuerMetadata> {
    return copyOf(`discovery of ${name}`, issuer, () => discoverIssuer(issuer, issuerAgent))
  }

  function statementCopy(route: FhirRoute): KeptCopy<Statement> {
    const { upstream: name, authorization } = route
    const upstream = settings.upstreams[name]!
    const tls = options.upstreamTls?.get(name)
    const make = () => createMetadataAgent(tls)
    const agent = lease.part(`agent for metadata of ${name}`, tls, make, (made) => made.destroy())
    const ownToken = options.ownTokenOf?.(route)
    const fetch = () => fetchUpstreamMetadata(upstream, authorization, ownToken, agent)
    return copyOf(`metadata of ${name}`, [upstream, authorization, tls], fetch)
  }

  for (const route of settings.routes) {
    if (route.kind !== 'fhir') continue
    const issuer = smartIssuerOf(route, settings.issuers)
    const metadata = issuer && issuerCopy(issuer)
    if (issuer && metadata) {
      documents.set(smartConfigurationPath(route.path), smartDocument(route, issuer, metadata))
    }
    documents.set(metadataPath(route.path), statementDocument(route, statementCopy(route), metadata))
  }
  const { origin, pathname } = new URL(settings.server.publicUrl)
  const prefix = pathname === '/' ? '' : pathname
  for (const [path, routes] of Map.groupBy(settings.routes, resourcePathOf)) {
    const printed = printDocument(
      protectedResource(path, routes, {
        ...settings.server,
        issuers: settings.issuers,
        catalogue: settings.scopes,
        proofAlgorithms: PROOF_ALGORITHMS,
      }),
    )
    const document = open(routes[0]!, 'discovery', (request) => answerWith(printed, JSON_TYPE, request))
    documents.set(protectedResourcePath(prefix + path), document)
    // A server in front may have cut the public prefix off, as it does for every other path.
    documents.set(protectedResourcePath(path), document)
  }

  function smartDocument(route: FhirRoute, issuer: Issuer, copy: KeptCopy<IssuerMetadata>): OpenDocument {
    const facts = { route, issuer, catalogue: settings.scopes, enforced }
    const print = remembered((metadata: IssuerMetadata | undefined) => {
      const configuration = smartConfiguration({ ...facts, metadata })
      return configuration && printDocument(configuration)
    })
    const detail = 'The endpoints of the token issuer are not known yet, because it does not answer. Try again shortly.'
    return open(route, 'discovery', async (request) => {
      // Endpoints that the route map itself names are worth more than a wait.
      const printed = print(route.smart?.endpoints?.token === undefined ? await copy.get() : copy.now())
      if (printed === undefined) return refuse('issuer-unavailable', detail, { retryAfter: RETRY_SECONDS })
      return answerWith(printed, JSON_TYPE, request)
    })
  }

  function statementDocument(
    route: FhirRoute,
    copy: KeptCopy<Statement>,
    issuer: KeptCopy<IssuerMetadata> | undefined,
  ): OpenDocument {
    const base = settings.server.publicUrl + route.path
    const facts = { base, smart: route.smart !== undefined, operations: route.operations, enforced }
    const mapUrl = compilePublicUrls(settings.upstreams[route.upstream]!.url, base).map
    const print = remembered((statement: Statement, metadata: IssuerMetadata | undefined) => {
      const endpoints = endpointsOf(metadata, route.smart?.endpoints ?? {})
      return printDocument(patchCapabilityStatement(statement, { ...facts, endpoints, mapUrl }))
    })
    const detail = 'The upstream server has not given its CapabilityStatement yet. Try again shortly.'
    return open(route, 'capabilities', async (request) => {
      const otherFormat = refuseOtherFormats(request)
      if (otherFormat !== undefined) return otherFormat
      const statement = await copy.get()
      if (statement === undefined) return refuse('upstream-unreachable', detail, { retryAfter: RETRY_SECONDS })
      const printed = printOrNothing(() => print(statement, issuer?.now()))
      if (printed === undefined)
        return refuse('upstream-broken', 'The CapabilityStatement of the upstream is unreadable.')
      return answerWith(printed, FHIR_TYPE, request)
    })
  }

  return {
    find: (path) => documents.get(path),
    resourceMetadata: (route) => origin + protectedResourcePath(prefix + resourcePathOf(route)),
    close: async () => (options.lease === undefined ? lease.end(0) : undefined),
  }
}

function createMetadataAgent(tls: UpstreamTls | undefined): Agent {
  return new Agent({
    connections: 1,
    keepAliveTimeout: 4_000,
    maxResponseSize: LARGEST_STATEMENT,
    connect: connectOptions(tls),
  })
}

function open(route: Route, interaction: OpenDocument['interaction'], read: OpenDocument['answer']): OpenDocument {
  return {
    route: route.name,
    interaction,
    fhir: route.kind === 'fhir',
    refusalHeaders: OPEN_TO_EVERY_ORIGIN,
    answer: (request) => answerWithoutDocument(request) ?? read(request),
  }
}

function smartIssuerOf({ smart, issuers }: FhirRoute, all: readonly Issuer[]): Issuer | undefined {
  if (smart === undefined) return undefined
  const name = smart.issuer ?? issuers[0]
  return all.find((issuer) => issuer.name === name)
}

/** A statement can be nested deeper than any reader follows. */
function printOrNothing(print: () => Printed): Printed | undefined {
  try {
    return print()
  } catch {
    return undefined
  }
}

/** Prints anew only when what it is made of is another object than before. */
function remembered<A extends readonly unknown[], P extends Printed | undefined>(print: (...from: A) => P) {
  let last: { readonly from: A; readonly printed: P } | undefined
  return (...from: A): P => {
    if (last === undefined || from.some((part, index) => part !== last!.from[index]))
      last = { from, printed: print(...from) }
    return last.printed
  }
}
