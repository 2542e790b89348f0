// Fields that speak about one connection and never cross the gateway (RFC 9110 §7.6.1): a fixed list, and whatever `Connection`
// nominates. The nominated ones go before our own are added, so that no one can have ours removed.

export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // Of an upgrade, which is between two neighbours; the gateway makes its own.
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'sec-websocket-accept',
])

/** Lower-case names that a `Connection` value nominates; undefined when it says nothing but `close` or `keep-alive`. */
export function nominated(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  const names = connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'close' && name !== 'keep-alive')
  return names.length === 0 ? undefined : new Set(names)
}
