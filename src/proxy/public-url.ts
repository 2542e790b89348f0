// URLs that an upstream writes, as clients may see them: what lies below the upstream's base comes out below the public base,
// what else names the upstream's origin comes out not at all (contract §5: links never show the upstream).

export interface PublicUrls {
  /** The URL as a client may see it; undefined when it names the upstream outside its base and must not be shown. */
  map(url: string): string | undefined
  /** Path and query of a URL on the upstream's own origin but outside its base; undefined for every other one. */
  besideBase(url: string): string | undefined
  readonly publicBase: string
}

interface Base {
  /** Scheme, host and port, normalised. */
  readonly origin: string
  /** Without a slash at its end. */
  readonly path: string
}

const ABSOLUTE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is

/**
 * `upstreams` are the base URLs that requests go to. An upstream that is told the public host (X-Forwarded-Host) writes its own path
 * below the public origin: that form is known too.
 */
export function compilePublicUrls(upstreams: readonly string[], publicBase: string): PublicUrls {
  const published = baseOf(publicBase)
  const behind = upstreams.map(baseOf)
  const bases = [...behind, ...behind.map(({ path }) => ({ origin: published.origin, path }))]
  const prefixes = bases.map(({ origin, path }) => origin + path)
  const hidden = new Set(behind.map(({ origin }) => origin))
  // Whatever runs on the upstream's machine is not for clients to know, unless the public address is there too.
  const hiddenHosts = new Set(behind.map(({ origin }) => hostOf(origin)))
  hiddenHosts.delete(hostOf(published.origin))
  const underPublic = (rest: string): string => publicBase + rest

  const below = (url: string): string | undefined => {
    if (isBelow(url, publicBase)) return url
    for (const prefix of prefixes) if (isBelow(url, prefix)) return underPublic(url.slice(prefix.length))
    return undefined
  }

  const mapPath = (path: string): string | undefined => {
    if (isBelow(path, published.path) && published.path !== '') return path
    for (const base of bases) if (isBelow(path, base.path)) return published.path + path.slice(base.path.length)
    return undefined
  }

  const map = (url: string): string | undefined => {
    const direct = below(url)
    if (direct !== undefined) return direct
    if (url.startsWith('/') && !url.startsWith('//') && !url.startsWith('/\\')) return mapPath(url)
    const absolute = ABSOLUTE.exec(url.startsWith('//') ? `${new URL(published.origin).protocol}${url}` : url)
    if (absolute === null) return /^[/\\]/.test(url) ? undefined : url
    const origin = originOf(absolute[1]!, absolute[2]!)
    const normal = origin === undefined ? undefined : below(origin + absolute[3]!)
    if (normal !== undefined) return normal
    return origin === undefined || hidden.has(origin) || hiddenHosts.has(hostOf(origin)) ? undefined : url
  }

  const besideBase = (url: string): string | undefined => {
    const absolute = ABSOLUTE.exec(url)
    const origin = absolute === null ? undefined : originOf(absolute[1]!, absolute[2]!)
    if (origin === undefined || !hidden.has(origin) || below(origin + absolute![3]!) !== undefined) return undefined
    return absolute![3]!
  }

  return { map, besideBase, publicBase }
}

/** Whole path segments: `http://h/fhir` is above `http://h/fhir/Patient` and `http://h/fhir?_getpages=…`, not above `http://h/fhirish`. */
function isBelow(url: string, base: string): boolean {
  if (!url.startsWith(base)) return false
  const next = url.charCodeAt(base.length)
  return Number.isNaN(next) || next === 0x2f || next === 0x3f || next === 0x23
}

function baseOf(url: string): Base {
  const { origin, pathname } = new URL(url)
  return { origin, path: pathname.replace(/\/+$/, '') }
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : origin
}

/** Undefined when no client could read it as one origin. */
function originOf(scheme: string, authority: string): string | undefined {
  const text = `${scheme}://${authority.slice(authority.lastIndexOf('@') + 1)}`
  return URL.canParse(text) ? (new URL(text).origin === 'null' ? text.toLowerCase() : new URL(text).origin) : undefined
}
