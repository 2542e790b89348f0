import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLoopback } from '../../../src/config/schema/address.ts'
import { parseDuration, parseSize } from '../../../src/config/schema/duration.ts'
import { meaningOf, parseTypeAccess, parseWorths } from '../../../src/config/schema/smart-worth.ts'
import { nearest } from '../../../src/config/source/nearest.ts'

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['90d', 7_776_000_000],
  ['0s', 0],
  ['10', undefined],
  ['10 s', undefined],
  ['1.5h', undefined],
  ['-1s', undefined],
  ['1w', undefined],
  ['99999999999999999d', undefined],
])('the duration %s is %s ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected)
})

test.each([
  ['1B', 1],
  ['64KiB', 65_536],
  ['10MiB', 10_485_760],
  ['1GiB', 1_073_741_824],
  ['10MB', undefined],
  ['10', undefined],
  ['1TiB', undefined],
])('the size %s is %s bytes', (text, expected) => {
  expect(parseSize(text)).toBe(expected)
})

test.each([
  ['http://127.0.0.1:1/x', true],
  ['http://127.9.9.9', true],
  ['http://localhost', true],
  ['http://[::1]:80', true],
  ['::1', true],
  ['127.0.0.1', true],
  ['0.0.0.0', false],
  ['http://127.0.0.1.example.org', false],
  ['http://localhost.example.org', false],
  ['http://10.0.0.1', false],
])('%s is on loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})

test.each([
  ['system/*.rs', ['system/*.rs']],
  ['system/*.read user/Patient.cruds', ['system/*.read', 'user/Patient.cruds']],
  ['patient/Observation.rs?category=x|y', ['patient/Observation.rs?category=x|y']],
  ['system/*.*', ['system/*.*']],
  ['system/*.', undefined],
  ['system/*.sr', undefined],
  ['system/*.rr', undefined],
  ['system/*.rs ', undefined],
  ['xsystem/*.rs', undefined],
  ['system/patient.rs', undefined],
  ['', undefined],
])('the worth "%s" reads as %j', (text, expected) => {
  expect(parseWorths(text)).toEqual(expected)
})

test.each([
  ['*.rs', { type: '*', letters: 'rs' }],
  ['{type}.write', { type: '{type}', letters: 'cud' }],
  ['Patient.*', { type: 'Patient', letters: 'cruds' }],
  ['user/Patient.s', undefined],
  ['Patient', undefined],
  ['{name}.r', undefined],
])('the access "%s" reads as %j', (text, expected) => {
  expect(parseTypeAccess(text)).toEqual(expected)
})

test('scopes are compared by meaning', () => {
  expect(meaningOf('patient/Patient.read')).toBe(meaningOf('patient/Patient.rs'))
  expect(meaningOf('user/*.write')).toBe('user/*.cud')
  expect(meaningOf('cms.fhir.r4.read')).toBe('cms.fhir.r4.read')
})

const name = fc.stringMatching(/^[a-z]{8,14}$/)

test('one slip of the finger is always recognised', () => {
  fc.assert(
    fc.property(name, fc.nat(), fc.constantFrom('drop', 'double', 'swap', 'change'), (word, at, slip) => {
      const i = at % (word.length - 1)
      const [head, a = '', b = '', tail] = [word.slice(0, i), word[i], word[i + 1], word.slice(i + 2)]
      const wrong = {
        drop: head + b + tail,
        double: head + a + a + b + tail,
        swap: head + b + a + tail,
        change: `${head}-${b}${tail}`,
      }[slip]
      expect(nearest(wrong, ['somethingquiteelse42', word])).toBe(word)
    }),
  )
})

test('nothing is near to everything', () => {
  expect(nearest('retries', ['url', 'timeout', 'connections'])).toBeUndefined()
})
