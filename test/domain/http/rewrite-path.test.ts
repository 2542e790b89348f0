import { expect, test } from 'vitest'
import { parseRequestTarget, type RequestTarget } from '../../../src/domain/http/request-target.ts'
import { rewritePath } from '../../../src/domain/http/rewrite-path.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'

function rewritten(raw: string, from: string, to: string): string {
  const path = rewritePath(parseRequestTarget(raw) as RequestTarget, { from, to })
  return isRefusal(path) ? path.code : path
}

test.each([
  ['/api/v1/x?a=1&b=%20', '/api', '/internal/app', '/internal/app/v1/x?a=1&b=%20'],
  ['/api', '/api', '/app', '/app'],
  ['/api/', '/api', '/app', '/app/'],
  ['/api', '/api', '', '/'],
  ['/api/', '/api', '', '/'],
  ['/api/x', '/api', '', '/x'],
  ['/x', '', '/app', '/app/x'],
  ['/', '', '/app', '/app/'],
  ['/%61pi/%41', '/api', '/app', '/app/A'],
  ['/api/a%20b', '/api', '/app', '/app/a%20b'],
])('%s: %s by %s', (raw, from, to, expected) => {
  expect(rewritten(raw, from, to)).toBe(expected)
})

test.each([
  ['/apis/x', '/api', '/app'],
  ['/other', '/api', '/app'],
  ['/API/x', '/api', '/app'],
])('%s does not begin with %s', (raw, from, to) => {
  expect(rewritten(raw, from, to)).toBe('target-ambiguous')
})

test('what would read otherwise behind is refused', () => {
  const target = { path: '/api//evil', segments: [], parameters: [], query: '' }
  expect(isRefusal(rewritePath(target, { from: '/api', to: '' }))).toBe(true)
  expect(isRefusal(rewritePath({ ...target, path: '/api/../x' }, { from: '/api', to: '/app' }))).toBe(true)
})
