// Which network address counts as one client where nothing else tells who asks: an IPv4 address, or the first half of an IPv6 one,
// because whoever has one IPv6 address usually has all that share it.

import { isIPv4, isIPv6 } from 'node:net'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

export function networkOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  const plain = MAPPED.exec(address)?.[1] ?? address
  if (isIPv4(plain)) return plain
  return isIPv6(plain) ? `${firstHalf(plain)}::/64` : 'unknown'
}

/** The first four of eight groups, without leading zeros. */
function firstHalf(address: string): string {
  const [before = '', after] = address.split('%', 1)[0]!.split('::')
  const head = groups(before)
  if (after !== undefined)
    head.push(...Array(Math.max(0, 8 - head.length - groups(after).length)).fill('0'), ...groups(after))
  return head
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}

/** An IPv4 address at the end stands for two groups, neither of which is among the first four. */
function groups(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]))
}
