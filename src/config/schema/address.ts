// Where to listen and where to send: `host:port` addresses, URLs, networks. URLs never hold user names or passwords: secrets have
// keys of their own, which are never printed.
import { isIP } from 'node:net'
import { parsed } from './keywords.ts'

export interface Address {
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

export const address = (description: string) =>
  parsed(parseAddress, description, {
    pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$',
    '~expected': 'an address such as 127.0.0.1:8080 or [::1]:8080',
  })

/** The URL of one endpoint (a token endpoint, a key set): kept as written. */
export const endpointUrl = (description: string) =>
  parsed((text) => (parseUrl(text) && !text.includes('#') ? text : undefined), description, {
    pattern: '^https?://[^\\s#]+$',
    '~expected': 'an http(s) URL without user name or fragment',
  })

/** The identity of an issuer: compared character by character, so kept as written. */
export const issuerUrl = (description: string) =>
  parsed((text) => (parseUrl(text) && !/[?#]/.test(text) ? text : undefined), description, {
    pattern: '^https?://[^\\s?#]+$',
    '~expected': 'an http(s) URL without user name, query or fragment',
  })

/** A URL that paths are appended to; effectively normalised and without a slash at its end. */
export const baseUrl = (description: string) =>
  parsed(parseBaseUrl, description, {
    pattern: '^https?://[^\\s?#]+$',
    '~expected': 'an http(s) URL without user name, query or fragment',
  })

export const network = (description: string) =>
  parsed((text) => (isNetwork(text) ? text : undefined), description, {
    pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$',
    '~expected': 'an IP address or a network such as 10.0.0.0/8',
  })

/** Whether nothing but this machine can be reached by that URL or host. */
export function isLoopback(urlOrHost: string): boolean {
  const host = URL.canParse(urlOrHost) ? new URL(urlOrHost).hostname : urlOrHost
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

export function parseAddress(text: string): Address | undefined {
  const [, host = '', digits = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  return port <= 65_535 ? { host: host.replace(/^\[(.*)\]$/, '$1'), port } : undefined
}

function parseUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  return plain ? url : undefined
}

function parseBaseUrl(text: string): string | undefined {
  const url = /[?#]/.test(text) ? undefined : parseUrl(text)
  return url && url.origin + url.pathname.replace(/\/+$/, '')
}

function isNetwork(text: string): boolean {
  const [ip = '', prefix] = text.split('/')
  const family = isIP(ip)
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 6 ? 128 : 32))
}
