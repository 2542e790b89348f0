// The effective route map as every other room reads it: names resolved, defaults that depend on other keys filled, deeply frozen.
import { dirname, isAbsolute, join } from 'node:path'
import { freeze } from './freeze.ts'
import type { Address } from './schema/address.ts'
import type { Effective } from './schema/effective.ts'
import type { FhirRoute as FhirRouteSchema } from './schema/fhir-route.ts'
import type { Issuer as IssuerSchema } from './schema/issuer.ts'
import {
  type MatchLine,
  type PlainRoute as PlainRouteSchema,
  parseLine,
  type Requirement,
} from './schema/plain-route.ts'
import type { EffectiveRouteMap } from './schema/route-map.ts'
import type { Server as ServerSchema } from './schema/server.ts'
import type { Upstream as UpstreamSchema } from './schema/upstream.ts'

type Flat<T> = { [K in keyof T]: T[K] } & {}
type Filled<T, K extends keyof T> = Flat<Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> }>

export type Server = Filled<Effective<typeof ServerSchema>, 'publicUrl'>
export type Issuer = Filled<Effective<typeof IssuerSchema>, 'name'>
export type Upstream = Flat<{ readonly name: string } & Effective<typeof UpstreamSchema>>

export type FhirRoute = Flat<
  { readonly kind: 'fhir' } & Filled<Effective<typeof FhirRouteSchema>, 'name' | 'issuers' | 'audience'>
>

export interface Match extends MatchLine {
  readonly requires: Requirement
}

export type PlainRoute = Flat<
  { readonly kind: 'plain'; readonly match: readonly Match[] } & Omit<
    Filled<Effective<typeof PlainRouteSchema>, 'name' | 'issuers' | 'audience'>,
    'match' | 'requires'
  >
>

export type Route = FhirRoute | PlainRoute

export type Settings = Flat<
  Omit<EffectiveRouteMap, 'server' | 'issuers' | 'upstreams' | 'routes'> & {
    readonly server: Server
    readonly issuers: readonly Issuer[]
    readonly upstreams: Readonly<Record<string, Upstream>>
    readonly routes: readonly Route[]
  }
>

/** `file` is the route map's own place: files that it names without a leading slash lie beside it. */
export function settingsOf(map: EffectiveRouteMap, file: string): Settings {
  const beside = (path: string): string => (isAbsolute(path) ? path : join(dirname(file), path))
  const server = serverOf(map.server, beside)
  const issuers = map.issuers.map(
    (issuer): Issuer => ({
      ...issuer,
      name: issuer.name ?? issuer.issuer,
      ...(issuer.jwksFile === undefined ? {} : { jwksFile: beside(issuer.jwksFile) }),
    }),
  )
  return freeze({
    ...map,
    server,
    issuers,
    ...(map.apiKeys ? { apiKeys: { ...map.apiKeys, file: beside(map.apiKeys.file) } } : {}),
    ...(map.revocations ? { revocations: { file: beside(map.revocations.file) } } : {}),
    upstreams: Object.fromEntries(
      Object.entries(map.upstreams).map(([name, { tls, ...upstream }]) => [
        name,
        { name, ...upstream, ...(tls && { tls: { ...tls, ...placed(tls, beside) } }) },
      ]),
    ),
    routes: map.routes.map((route) => routeOf(route, server, issuers)),
  })
}

function serverOf(written: EffectiveRouteMap['server'], beside: (path: string) => string): Server {
  const { tls, admin } = written
  return {
    ...written,
    publicUrl: written.publicUrl ?? defaultPublicUrl(written),
    ...(tls && { tls: { ...tls, ...placed(tls, beside) } }),
    admin: { ...admin, ...placed(admin, beside), ...(admin.tls && { tls: placed(admin.tls, beside) }) },
  }
}

type FileKey = 'cert' | 'key' | 'ca' | 'clientCa'

function placed<Files extends { readonly [K in FileKey]?: string }>(
  files: Files,
  beside: (path: string) => string,
): Pick<Files, FileKey & keyof Files> {
  const named = (['cert', 'key', 'ca', 'clientCa'] as const).filter((key) => files[key] !== undefined)
  return Object.fromEntries(named.map((key) => [key, beside(files[key]!)])) as Pick<Files, FileKey & keyof Files>
}

export function defaultPublicUrl({ listen, tls }: { readonly listen: Address; readonly tls?: unknown }): string {
  const any = listen.host === '0.0.0.0' || listen.host === '::'
  const host = any ? 'localhost' : listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return `${tls ? 'https' : 'http'}://${host}:${listen.port}`
}

function routeOf(route: EffectiveRouteMap['routes'][number], server: Server, all: readonly Issuer[]): Route {
  const issuers = route.issuers ?? all.map(({ name }) => name)
  if ('fhir' in route) {
    const audience = route.audience ?? [server.publicUrl + route.path]
    return { ...route, kind: 'fhir', name: route.name ?? (route.path || '/'), issuers, audience }
  }
  const { match: written, requires, ...rest } = route
  const match = matchesOf(written, requires)
  const audience = route.audience ?? [
    ...new Set(all.filter((i) => issuers.includes(i.name)).flatMap((i) => i.audience)),
  ]
  return { ...rest, kind: 'plain', name: route.name ?? match[0]?.path ?? '', issuers, audience, match }
}

type WrittenMatch = Effective<typeof PlainRouteSchema>['match']

function matchesOf(match: WrittenMatch, requires: Requirement | undefined): readonly Match[] {
  if (isLine(match)) return requires === undefined ? [] : [{ ...match, requires }]
  return Object.entries(match).map(([line, needed]) => ({ ...parseLine(line), requires: needed }))
}

const isLine = (match: WrittenMatch): match is MatchLine => typeof match['method'] === 'string'
