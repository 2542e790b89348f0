// Targets as servlet containers are attacked with: dot segments, path parameters, separators in every encoding, bytes that are no UTF-8,
// parameters by every separator; and what FHIR clients really send.

import type { Random } from '../fuzz/seeded.ts'

const WORDS = [
  'fhir',
  'R4',
  'Patient',
  'Observation',
  'p1',
  '_history',
  '$everything',
  '_search',
  'a',
  'A',
  'x-y_z~1.0',
  'metadata',
  '...',
  'a.b',
  '.a',
  'a.',
]
const PLAIN = "abcXYZ019-._~!$&'()*+,=:@"
const TRICKS = [
  '.',
  '..',
  '',
  ';',
  ';a=b',
  '..;',
  '..;x',
  '%2e',
  '%2E%2e',
  '.%2e',
  '%2f',
  '%2F',
  '%5c',
  '\\',
  '%3b',
  '%3B',
  '%25',
  '%252e',
  '%00',
  '%23',
  '%3f',
  '#',
  '%',
  '%4',
  '%zz',
  '%u002e',
  '%c0%ae',
  '%c0%af',
  '%ef%bc%8f',
  '%E2%80%AE',
  '%ed%a0%80',
  '%7f',
  '%09',
  '%20',
  '%0d%0a',
  '|',
  '{',
  '"',
  '%22',
  '%7C',
  '%5B',
  '[',
  '%EF%BB%BF',
  '%C2%A0',
  '%C2%85',
]
const NAMES = ['_id', 'code', 'patient', 'a', 'A', 'a.b', 'a:b', 'a[]', '_count', 'subject:Patient.name', 'é']
const VALUES = [
  '1',
  '',
  'a,b',
  'http://loinc.org|718-7',
  'a b',
  'ge2020-01-01',
  'a\\,b',
  'x=y',
  '{}^`',
  'naïve',
  '漢字',
  '😀',
  '+',
  '%',
  '&',
  ';',
  '#',
  '/../',
  '\u00a0',
  '\t',
  "'",
  '"<>',
]

export function makeTarget(random: Random): string {
  const segments = Array.from({ length: 1 + random.below(5) }, () => makeSegment(random))
  const path = `/${segments.join('/')}${random.chance(0.1) ? '/' : ''}`
  return random.chance(0.7) ? `${path}?${makeQuery(random)}` : path
}

function makeSegment(random: Random): string {
  if (random.chance(0.55)) return random.pick(WORDS)
  if (random.chance(0.07)) return random.pick(TRICKS)
  return Array.from({ length: 1 + random.below(6) }, () => makeCharacter(random)).join('')
}

function makeCharacter(random: Random): string {
  const share = random.next()
  if (share < 0.6) return random.pick([...PLAIN])
  if (share < 0.75) return percent(random.pick([...PLAIN]), random)
  if (share < 0.9)
    return percent(random.pick(['é', '漢', '😀', ' ', '\u00a0', '"', '<', '|', '[', '^', '`', '{']), random)
  if (share < 0.97) return `%${random.below(256).toString(16).padStart(2, '0')}`
  return random.pick(TRICKS)
}

function makeQuery(random: Random): string {
  const pieces = Array.from({ length: random.below(6) }, () => {
    const name = written(random.pick(NAMES), random)
    if (random.chance(0.1)) return name
    if (random.chance(0.03)) return random.pick(['', '=', '=x', '%', '%zz=1', 'a=%c0%ae', 'a=%', '&&', 'a=%00', 'a=#'])
    return `${name}=${written(random.pick(VALUES), random)}`
  })
  return pieces.join(random.chance(0.97) ? '&' : random.pick([';', '&amp;', '%26', '&&']))
}

/** As one of the many ways in which clients encode. */
function written(text: string, random: Random): string {
  const share = random.next()
  if (share < 0.3) return encodeURIComponent(text)
  if (share < 0.5) return new URLSearchParams([['', text]]).toString().slice(1)
  return [...text]
    .map((one) => (random.chance(0.3) || /[^\x21-\x7e]|[&=#+%]/.test(one) ? percent(one, random) : one))
    .join('')
}

function percent(character: string, random: Random): string {
  const digits = [...Buffer.from(character, 'utf8')].map((byte) => byte.toString(16).padStart(2, '0'))
  return digits.map((pair) => `%${random.chance(0.5) ? pair.toUpperCase() : pair}`).join('')
}
