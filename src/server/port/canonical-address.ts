// One spelling for each IP address, so that nobody is two clients by writing it in another way: IPv6 in lower case and compressed
// (RFC 5952), an IPv4 address in IPv6 form as the IPv4 address that it is, and no zone.

import { isIP } from 'node:net'

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/** Undefined for what is no IP address. */
export function canonicalAddress(text: string): string | undefined {
  const address = text.includes('%') ? text.slice(0, text.indexOf('%')) : text
  const family = isIP(address)
  if (family === 4) return address
  if (family === 0) return undefined
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [, high, low] = MAPPED.exec(compressed) ?? []
  if (high === undefined || low === undefined) return compressed
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return bits.flatMap((sixteen) => [sixteen >> 8, sixteen & 0xff]).join('.')
}
