// What the network and attackers do to bytes: changed, cut out, doubled, put elsewhere, cut off, and delivered in any pieces.

import type { Random } from './seeded.ts'

const SHARP = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  '\t',
  ' ',
  ':',
  ',',
  ';',
  '%',
  '%00',
  '/',
  '\\',
  '#',
  '?',
  '_',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  'chunked',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  '0\r\n\r\n',
  'GET /app/public/x HTTP/1.1\r\nHost: x\r\n\r\n',
]

export function mutate(text: string, random: Random): string {
  let mutated = text
  for (let left = 1 + random.below(4); left > 0; left--) mutated = mutateOnce(mutated, random)
  return mutated
}

function mutateOnce(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  const to = Math.min(text.length, at + 1 + random.below(random.chance(0.7) ? 4 : 80))
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
    case 1:
      return text.slice(0, at) + text.slice(to)
    case 2:
    case 3:
      return text.slice(0, at) + random.pick(SHARP) + text.slice(at)
    case 4:
      return text.slice(0, to) + text.slice(at)
    case 5: {
      const elsewhere = random.below(text.length + 1)
      return text.slice(0, elsewhere) + text.slice(at, to) + text.slice(elsewhere)
    }
    default:
      return random.chance(0.3) ? text.slice(0, at) : `${text.slice(0, at)}${random.pick(SHARP)}${text.slice(to)}`
  }
}

/** The same bytes in pieces, of one byte even. */
export function split(text: string, random: Random): string[] {
  const cuts = new Set<number>()
  for (let left = random.pick([0, 0, 0, 1, 2, 5, 12]); left > 0; left--) cuts.add(random.below(text.length + 1))
  const places = [0, ...[...cuts].sort((a, b) => a - b), text.length]
  return places
    .slice(1)
    .map((end, i) => text.slice(places[i], end))
    .filter((piece) => piece !== '')
}
