import { expect, test } from 'vitest'
import { Silence } from '../../../src/proxy/web-socket/silence.ts'

test('asks once after half the time, and gives up after all of it', () => {
  const silence = new Silence(100)
  const looked = [0, 40, 50, 60, 99, 100].map((now) => silence.look(now, false))
  expect(looked).toEqual([undefined, undefined, 'ask', undefined, undefined, 'over'])
})

test('whatever is heard begins anew', () => {
  const silence = new Silence(100)
  silence.look(0, false)
  expect(silence.look(60, false)).toBe('ask')
  silence.heard()
  expect([70, 110, 120, 170].map((now) => silence.look(now, false))).toEqual([undefined, undefined, 'ask', 'over'])
})

test('who is not listened to is not silent', () => {
  const silence = new Silence(100)
  silence.look(0, false)
  expect([50, 100, 500].map((now) => silence.look(now, true))).toEqual([undefined, undefined, undefined])
  expect(silence.look(560, false)).toBe('ask')
})

test('nobody is given up who was not asked, however late one looks', () => {
  const silence = new Silence(100)
  silence.look(0, false)
  expect(silence.look(500, false)).toBe('ask')
  expect(silence.look(501, false)).toBe('over')
})
