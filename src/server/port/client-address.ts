// Where a request comes from: the connection's own address, or, behind proxies that `server.trustedProxies` names, the address that
// the last of them saw. For rate limits and `X-Forwarded-For` only: no decision about access is ever made by it, nor by the host or
// protocol that a proxy tells (CVE-2026-40575 and its kin). What cannot be read, or is said in two ways, is not believed.

import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6, type Socket } from 'node:net'
import { canonicalAddress } from './canonical-address.ts'
import { type Hops, hopsOfForwarded, hopsOfForwardedFor } from './forwarded-for.ts'

export type ClientAddress = (request: IncomingMessage) => string

const UNKNOWN = 'unknown'
/** A chain of proxies is short; a long one is somebody's invention. */
const MOST_HOPS = 32

/** `trusted`: IP addresses and networks, as the route map writes them. */
export function compileClientAddress(trusted: readonly string[]): ClientAddress {
  const own = connectionAddresses()
  if (trusted.length === 0) return ({ socket }) => own(socket)
  const isTrusted = compileNetworks(trusted)
  const trustedSockets = new WeakMap<Socket, boolean>()

  return ({ socket, headers }) => {
    const address = own(socket)
    let believed = trustedSockets.get(socket)
    if (believed === undefined) {
      believed = isTrusted(address)
      trustedSockets.set(socket, believed)
    }
    if (!believed) return address
    const { forwarded, 'x-forwarded-for': forwardedFor } = headers
    const told = [
      ...(forwarded === undefined ? [] : [hopsOfForwarded(forwarded)]),
      ...(forwardedFor === undefined ? [] : [hopsOfForwardedFor(String(forwardedFor))]),
    ].map((hops) => firstForeign(hops, isTrusted))
    const [first] = told
    return first !== undefined && told.every((one) => one === first) ? first : address
  }
}

/** The first address from the right that no trusted proxy has; where all have one, the last. */
function firstForeign(hops: Hops, isTrusted: (address: string) => boolean): string | undefined {
  let last: string | undefined
  for (let count = 0; count < MOST_HOPS; count++) {
    const hop = hops()
    if (hop === undefined) return last
    if (hop === 'unreadable') return undefined
    if (!isTrusted(hop)) return hop
    last = hop
  }
  return undefined
}

/** Read once for each connection. */
function connectionAddresses(): (socket: Socket) => string {
  const known = new WeakMap<Socket, string>()
  return (socket) => {
    let address = known.get(socket)
    if (address === undefined) {
      address = canonicalAddress(socket.remoteAddress ?? '') ?? UNKNOWN
      known.set(socket, address)
    }
    return address
  }
}

/** Whether an address is of one of these networks. */
export function compileNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [written = '', prefix] = network.split('/')
    const family = isIPv6(written) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(written, family)
    else list.addSubnet(written, Number(prefix), family)
  }
  return (address) => address !== UNKNOWN && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
