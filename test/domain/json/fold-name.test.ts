// Two spellings that some reader takes for one name fold alike; names that every reader tells apart do not.

import { expect, test } from 'vitest'
import { foldName, isMisspellingOf } from '../../../src/domain/json/fold-name.ts'

test.each([
  'Subject',
  'SUBJECT',
  '\u017fubject',
  ' subject',
  'subject\t',
  'sub\u00adject',
  '\u2003subject',
  'subject\u3000',
  'sub\u2061ject',
  '\u1680subject',
  '\u205fsubject',
  '\u180esubject',
  '\ufeffsubject',
])('%j is subject', (name) => {
  expect(foldName(name)).toBe('subject')
  expect(isMisspellingOf(['subject'])(name)).toBe(true)
})

test.each(['subject', '_subject', 'subjects', 'sub-ject', 'sub.ject', 'sübject'])('%j is itself', (name) => {
  expect(isMisspellingOf(['subject'])(name)).toBe(false)
})
