// Who a trusted proxy says it speaks for: the fields `Forwarded` (RFC 7239) and `X-Forwarded-For`, read from the right, because each
// proxy writes behind what came. Only as much is read as is believed, so what a client put in front of it is never even parsed.
// Each step gives one address in canonical form, `unreadable` for anything else, or undefined before the first one.

import { canonicalAddress } from './canonical-address.ts'

export type Hop = string | 'unreadable' | undefined
/** The next hop to the left, each time it is called. */
export type Hops = () => Hop

export function hopsOfForwardedFor(field: string): Hops {
  let rest: string | undefined = field
  return () => {
    if (rest === undefined) return undefined
    const comma = rest.lastIndexOf(',')
    const element = rest.slice(comma + 1).trim()
    rest = comma < 0 ? undefined : rest.slice(0, comma)
    return addressOf(element)
  }
}

export function hopsOfForwarded(field: string): Hops {
  let rest: string | undefined = field
  return () => {
    if (rest === undefined) return undefined
    const comma = lastCommaOutsideQuotes(rest)
    const element = rest.slice(comma + 1)
    rest = comma < 0 ? undefined : rest.slice(0, comma)
    return forOf(element)
  }
}

function lastCommaOutsideQuotes(text: string): number {
  let quoted = false
  for (let at = text.length - 1; at >= 0; at--) {
    const one = text.charCodeAt(at)
    if (one === 0x22) quoted = !quoted
    else if (one === 0x2c && !quoted) return at
  }
  return -1
}

const PAIR = /^\s*([a-z]+)=(?:"([^"\\]*)"|([^\s";,]+))\s*$/i

/** The `for` of one element, which must be there once. */
function forOf(element: string): Hop {
  let found: string | undefined
  for (const pair of element.split(';')) {
    const [, name, quoted, plain] = PAIR.exec(pair) ?? []
    if (name === undefined) return 'unreadable'
    if (name.toLowerCase() !== 'for') continue
    if (found !== undefined) return 'unreadable'
    found = quoted ?? plain ?? ''
  }
  return found === undefined ? 'unreadable' : addressOf(found)
}

/** With or without a port; an IPv6 address with one stands in brackets. */
function addressOf(text: string): Hop {
  const [, bracketed, withPort] = /^(?:\[([0-9a-f.]*:[0-9a-f:.]*)\](?::\d{1,5})?|([0-9.]+):\d{1,5})$/i.exec(text) ?? []
  return canonicalAddress(bracketed ?? withPort ?? text) ?? 'unreadable'
}
