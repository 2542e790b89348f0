// What is read of a resource on its way, and what of names that come again and again.

import { expect, test } from 'vitest'
import { memberName } from '../../src/proxy/member-names.ts'
import { ResourceReader } from '../../src/proxy/resource-reader.ts'

/** As the scanner would: every member in its order, as it stands. */
function read(members: readonly (readonly [key: string, raw: string])[], wanted: readonly string[]): unknown {
  const reader = new ResourceReader(() => new Set(['resourceType', ...wanted]))
  reader.begin()
  for (const [key, raw] of members) if (reader.wants(key)) reader.take(Buffer.from(raw))
  return reader.end(Buffer.from(`{${members.map(([key, raw]) => `"${key}":${raw}`).join()}}`))
}

const TYPE = ['resourceType', '"Observation"'] as const
const SUBJECT = ['subject', '{"reference":"Patient/p1"}'] as const

test('only what is looked at is read', () => {
  expect(read([TYPE, ['id', '"1"'], SUBJECT, ['note', '[{"text":"x"}]']], ['subject'])).toEqual({
    resourceType: 'Observation',
    subject: { reference: 'Patient/p1' },
  })
})

test('where the type does not come first, everything is read', () => {
  expect(read([['id', '"1"'], TYPE, SUBJECT], ['subject'])).toEqual({
    id: '1',
    resourceType: 'Observation',
    subject: { reference: 'Patient/p1' },
  })
  expect(read([], [])).toEqual({})
})

test('a member that stands twice and is looked at makes the resource nothing; others may', () => {
  expect(read([TYPE, SUBJECT, ['subject', '{"reference":"Patient/p2"}']], ['subject'])).toBeUndefined()
  expect(read([TYPE, SUBJECT, ['resourceType', '"Patient"']], ['subject'])).toBeUndefined()
  expect(read([TYPE, SUBJECT, ['note', '1'], ['note', '2']], ['subject'])).toBeDefined()
})

test('one resource leaves nothing for the next', () => {
  const reader = new ResourceReader(() => new Set(['resourceType', 'subject']))
  for (const members of [[TYPE, SUBJECT], [TYPE]]) {
    reader.begin()
    for (const [key, raw] of members) if (reader.wants(key!)) reader.take(Buffer.from(raw!))
  }
  expect(reader.end(Buffer.alloc(0))).toEqual({ resourceType: 'Observation' })
})

const nameIn = (json: string): string => memberName(Buffer.from(json), 0, Buffer.byteLength(json))

test('names: the same text for the same bytes, whatever came before in its place', () => {
  const names = ['id', 'subject', 'subjecu', 'tcejbus', 'resourceType', '', 'x'.repeat(33), 'a', 'b', 'ab', 'ba']
  for (let i = 0; i < 2000; i++) names.push(`n${i}`, `${i}n`, `${i % 7}${'x'.repeat(i % 40)}${i % 3}`)
  for (const _ of [1, 2, 3]) for (const name of names) expect(nameIn(`"${name}"`)).toBe(name)
})

test('names with escapes are what they mean, and leave nothing in their place', () => {
  for (const _ of [1, 2]) {
    expect(nameIn('"subj\\u0065ct"')).toBe('subject')
    expect(nameIn('"subject"')).toBe('subject')
    expect(nameIn('"\\n"')).toBe('\n')
    expect(nameIn('"\\\\n"')).toBe('\\n')
    expect(nameIn('"\\"a"')).toBe('"a')
  }
})
