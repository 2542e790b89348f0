import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeError } from '../../src/observability/described-error.ts'
import { createLog } from '../../src/observability/logger.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { createRecord, type Finished } from '../../src/observability/record.ts'

const finished: Finished = {
  id: 'r-1',
  method: 'GET',
  route: 'r4',
  upstream: 'nexus',
  interaction: 'search-type',
  outcome: 'forward',
  code: undefined,
  status: 200,
  bytes: 4600,
  totalMs: 2.34567,
  upstreamMs: 2,
  issuer: 'ehr',
  parameterNames: ['patient', '_count'],
  error: undefined,
}

function recording(level?: string) {
  const lines: string[] = []
  const log = createLog({ destination: { write: (text) => void lines.push(text) }, ...(level ? { level } : {}) })
  const metrics = createMetrics({ process: false })
  metrics.applied(1, { routes: ['r4'], upstreams: ['nexus'], issuers: ['ehr'] })
  return { lines, log, metrics, record: createRecord(log, metrics, () => Date.UTC(2026, 0, 1)) }
}

test('a finished request is one line', () => {
  const { lines, record } = recording()
  record(finished)
  expect(lines).toHaveLength(1)
  expect(lines[0]!.endsWith('}\n')).toBe(true)
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'info',
    time: '2026-01-01T00:00:00.000Z',
    requestId: 'r-1',
    route: 'r4',
    method: 'GET',
    interaction: 'search-type',
    outcome: 'forward',
    status: 200,
    durationMs: 2.346,
    upstreamMs: 2,
    ownMs: 0.346,
    bytes: 4600,
    upstream: 'nexus',
    issuer: 'ehr',
    parameters: ['patient', '_count'],
    msg: 'request',
  })
})

test('and its metrics', async () => {
  const { record, metrics } = recording()
  record({ ...finished, outcome: 'deny', code: 'scope-insufficient', status: 403, upstreamMs: undefined })
  record({ ...finished, totalMs: 1, upstreamMs: 3 })
  const text = await metrics.print()
  expect(text).toContain('scopegate_requests_total{route="r4",interaction="search-type",outcome="deny",status="403"} 1')
  expect(text).toContain('scopegate_decisions_total{route="r4",outcome="deny",code="scope-insufficient"} 1')
  expect(text).toContain('scopegate_upstream_seconds_count{upstream="nexus"} 1')
  expect(text).toContain('scopegate_gateway_seconds_count 2')
})

test('what is below the level is not written, a 5xx is a warning', () => {
  const { lines, record } = recording('warn')
  record(finished)
  record({ ...finished, status: 502, code: 'upstream-unreachable' })
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn'])
})

test('a defect is told in a line of its own, without what it was about', () => {
  const { lines, record } = recording()
  let error: unknown
  try {
    JSON.parse('{"name": Smith')
  } catch (thrown) {
    error = thrown
  }
  record({ ...finished, status: 500, error })
  expect(lines).toHaveLength(2)
  const second = JSON.parse(lines[1]!)
  expect(second).toMatchObject({ level: 'error', requestId: 'r-1', err: { type: 'SyntaxError' } })
  expect(lines.join('')).not.toContain('Smith')
})

describe('what clients put where a name belongs', () => {
  test.each([
    ['patient', 'patient'],
    ['_revinclude:iterate', '_revinclude:iterate'],
    ['subject:Patient.name', 'subject:Patient.name'],
    ['Patient/12345', '?'],
    ['12345', '?'],
    ['eyJhbGciOiJSUzI1NiJ9', '?'],
    ['a"b', '?'],
    ['a\nb', '?'],
    ['x'.repeat(60), '?'],
    ['', '?'],
  ])('%j is logged as %j', (name, logged) => {
    const { lines, record } = recording()
    record({ ...finished, parameterNames: [name] })
    expect(JSON.parse(lines[0]!).parameters).toEqual([logged])
  })

  test('many of them are cut', () => {
    const { lines, record } = recording()
    record({ ...finished, parameterNames: Array.from({ length: 200 }, () => 'code') })
    expect(JSON.parse(lines[0]!).parameters).toHaveLength(21)
  })
})

test('whatever comes, a line is one line of JSON', () => {
  const { lines, record } = recording()
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, fc.array(text), text, text, (id, method, parameterNames, route, interaction) => {
      lines.length = 0
      record({ ...finished, id, method, parameterNames, route, interaction })
      expect(lines).toHaveLength(1)
      expect(lines[0]!.trimEnd()).not.toContain('\n')
      JSON.parse(lines[0]!)
    }),
  )
})

test('the log hides what its list names, two levels deep', () => {
  const { lines, log } = recording()
  log.logger.warn(
    { token: 'abc', headers: { authorization: 'Bearer abc' }, a: { b: { password: 'abc' } }, kept: 'x' },
    'look',
  )
  expect(lines[0]).not.toContain('abc')
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', kept: 'x', msg: 'look', token: '[redacted]' })
})

test('an error is described without its message, unless that is known to be harmless', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8101'), { code: 'ECONNREFUSED' })
  expect(describeError(refused)).toMatchObject({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:8101' })
  const claims = Object.assign(new Error('unexpected "sub" claim: p1'), {
    code: 'ERR_JWT_CLAIM',
    payload: { sub: 'p1' },
  })
  expect(JSON.stringify(describeError(claims))).not.toContain('p1')
  expect(describeError(new Error('outer p1', { cause: refused }))).toMatchObject({
    type: 'Error',
    cause: { code: 'ECONNREFUSED' },
  })
  expect(describeError('text')).toEqual({ type: 'string' })
  const circular = new Error('x')
  circular.cause = circular
  expect(JSON.stringify(describeError(circular)).length).toBeLessThan(20_000)
})
