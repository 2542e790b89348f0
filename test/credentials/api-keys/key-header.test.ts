import { describe, expect, test } from 'vitest'
import { readKeyHeader } from '../../../src/credentials/api-keys/key-header.ts'
import { headerReader } from '../../../src/domain/http/request-headers.ts'
import { parseRequestTarget, type RequestTarget } from '../../../src/domain/http/request-target.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'

const KEY = `sgk_${'a'.repeat(43)}`
const OTHER = `sgs_${'b'.repeat(43)}`

function read(raw: readonly string[], url = '/prime/v1/health', header = 'X-API-Key'): string {
  const headers = headerReader({ apiKeyHeader: header })(raw)
  if (isRefusal(headers)) return headers.code
  const key = readKeyHeader(headers, parseRequestTarget(url) as RequestTarget, header.toLowerCase())
  return isRefusal(key) ? key.code : (key ?? 'none')
}

describe('one key in one header', () => {
  test.each<[name: string, raw: string[], result: string]>([
    ['an API key', ['X-API-Key', KEY], KEY],
    ['a service key', ['x-api-key', OTHER], OTHER],
    ['none', ['Accept', '*/*'], 'none'],
    ['an empty field', ['X-API-Key', ''], 'none'],
    ['an empty field beside a token', ['X-API-Key', '', 'Authorization', 'Bearer a'], 'none'],
    ['a token only', ['Authorization', 'Bearer a.b.c'], 'none'],
    ['cut', ['X-API-Key', KEY.slice(0, -1)], 'token-invalid'],
    ['longer', ['X-API-Key', `${KEY}a`], 'token-invalid'],
    ['padded', ['X-API-Key', `${KEY}=`], 'token-invalid'],
    ['in capitals', ['X-API-Key', KEY.toUpperCase()], 'token-invalid'],
    ['without its prefix', ['X-API-Key', KEY.slice(4)], 'token-invalid'],
    ['a JWT', ['X-API-Key', 'a.b.c'], 'token-invalid'],
    ['quoted', ['X-API-Key', `"${KEY}"`], 'token-invalid'],
    ['behind a scheme', ['X-API-Key', `Bearer ${KEY}`], 'credential-ambiguous'],
    ['two in one field', ['X-API-Key', `${KEY}, ${OTHER}`], 'credential-ambiguous'],
    ['the same twice in one field', ['X-API-Key', `${KEY},${KEY}`], 'credential-ambiguous'],
    ['two fields', ['X-API-Key', KEY, 'x-api-key', OTHER], 'credential-ambiguous'],
    ['the same in two fields', ['X-API-Key', KEY, 'X-Api-Key', KEY], 'credential-ambiguous'],
    ['an empty and a full field', ['X-API-Key', '', 'X-API-Key', KEY], 'credential-ambiguous'],
    ['a key and a token', ['X-API-Key', KEY, 'Authorization', 'Bearer a.b.c'], 'credential-ambiguous'],
    ['a key and another scheme', ['X-API-Key', KEY, 'Authorization', 'Basic YTpi'], 'credential-ambiguous'],
    ['rubbish and a token', ['X-API-Key', 'x', 'Authorization', 'Bearer a.b.c'], 'credential-ambiguous'],
    ['another spelling of the header', ['X_API_Key', KEY], 'header-ambiguous'],
    ['another spelling beside it', ['X-API-Key', KEY, 'x.api.key', OTHER], 'header-ambiguous'],
    ['bytes outside ASCII', ['X-API-Key', `sgk_${'ä'.repeat(43)}`], 'header-ambiguous'],
    ['full-width letters', ['X-API-Key', `\uff53gk_${'a'.repeat(43)}`], 'header-ambiguous'],
  ])('%s', (_, raw, result) => expect(read(raw)).toBe(result))
})

describe('a header of another name', () => {
  test.each<[raw: string[], result: string]>([
    [['X-Client-Key', KEY], KEY],
    [['X-API-Key', KEY], 'none'],
    [['x_client_key', KEY], 'header-ambiguous'],
    [['X-Client-Key', KEY, 'X-CLIENT-KEY', KEY], 'credential-ambiguous'],
  ])('%j', (raw, result) => expect(read(raw, '/', 'X-Client-Key')).toBe(result))
})

describe('a credential in the URL', () => {
  test.each([
    [`/a?x-api-key=${KEY}`, [], 'credential-ambiguous'],
    [`/a?b=1&q=${OTHER}`, [], 'credential-ambiguous'],
    [`/a?b=${KEY}`, ['X-API-Key', KEY], 'credential-ambiguous'],
    [`/a?b=${encodeURIComponent(KEY).replace('_', '%5F')}`, [], 'credential-ambiguous'],
    ['/a?access_token=x', ['X-API-Key', KEY], 'credential-ambiguous'],
    ['/a?Access%5Ftoken=x', ['X-API-Key', KEY], 'credential-ambiguous'],
    [`/a?b=${KEY}x`, ['X-API-Key', KEY], KEY],
    ['/a?api_key=x', ['X-API-Key', KEY], KEY],
  ])('%s', (url, raw, result) => expect(read(raw, url)).toBe(result))
})
