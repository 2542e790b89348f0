import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerOf } from '../../src/domain/answer.ts'
import { REFUSALS, type RefusalCode, refuse } from '../../src/domain/refusal.ts'

const codes = Object.keys(REFUSALS) as RefusalCode[]
const requestId = '0196a7c2-5c1e-7d3a-9f00-4f6d2c9b1e11'
const onFhir = { fhir: true, wantsXml: false, requestId }

describe.each(codes)('%s', (code) => {
  const refusal = refuse(code, 'Do this next.')

  test('is a valid OperationOutcome on a FHIR route', () => {
    const answer = answerOf(refusal, onFhir)
    const outcome = JSON.parse(answer.body)
    expect(answer.status).toBe(REFUSALS[code].status)
    expect(answer.contentType).toMatch(/^application\/fhir\+json/)
    expect(Object.keys(outcome)).toEqual(['resourceType', 'id', 'issue'])
    expect(outcome).toMatchObject({ resourceType: 'OperationOutcome', id: requestId })
    expect(outcome.issue).toHaveLength(1)
    const [issue] = outcome.issue
    expect(issue.severity).toBe('error')
    expect(issue.code).toBe(REFUSALS[code].issue)
    expect(issue.details.coding).toEqual([{ system: 'urn:scopegate:code', code }])
    expect(issue.details.text).not.toBe('')
    if (code !== 'not-found') expect(issue.diagnostics).toBe('Do this next.')
  })

  test('is the same OperationOutcome in XML', () => {
    const answer = answerOf(refusal, { ...onFhir, wantsXml: true })
    expect(answer.contentType).toMatch(/^application\/fhir\+xml/)
    expect(answer.body).toContain('<OperationOutcome xmlns="http://hl7.org/fhir">')
    expect(answer.body).toContain(`<id value="${requestId}"/>`)
    expect(answer.body).toContain(`<severity value="error"/><code value="${REFUSALS[code].issue}"/>`)
    expect(answer.body).toContain(`<coding><system value="urn:scopegate:code"/><code value="${code}"/></coding>`)
  })

  test('is problem details elsewhere, whatever format is wanted', () => {
    const answer = answerOf(refusal, { fhir: false, wantsXml: true, requestId })
    const problem = JSON.parse(answer.body)
    expect(answer.contentType).toBe('application/problem+json')
    expect(problem).toMatchObject({ type: `urn:scopegate:code:${code}`, status: answer.status, code, requestId })
    expect(problem.title).not.toBe('')
    expect(problem.detail).not.toBe('')
  })
})

test('not-found is the same bytes whatever the cause was', () => {
  for (const context of [onFhir, { ...onFhir, wantsXml: true }, { ...onFhir, fhir: false }]) {
    const absent = answerOf(refuse('not-found', ''), context)
    const foreign = answerOf(
      refuse('not-found', 'Observation/1 is of another patient.', { status: 410, scopes: ['a'] }),
      context,
    )
    expect(foreign).toEqual(absent)
  }
})

test('a refusal may choose another status of its code', () => {
  expect(answerOf(refuse('interaction-unknown', 'x', { status: 404 }), onFhir).status).toBe(404)
})

test('whatever a detail holds, XML stays well-formed and JSON readable', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (detail) => {
      const { body } = answerOf(refuse('body-invalid', detail), { ...onFhir, wantsXml: true })
      const values = [...body.matchAll(/ value="([^"]*)"/g)].map((match) => match[1]!)
      expect(values).toHaveLength(7)
      for (const value of values) expect(value).not.toMatch(/[<>']|&(?!#\d+;)|[\u0000-\u001f\ufffe\uffff]/)
      expect(body.isWellFormed()).toBe(true)
      JSON.parse(answerOf(refuse('body-invalid', detail), onFhir).body)
    }),
  )
})

test('a request id that is no FHIR id does not become one', () => {
  expect(JSON.parse(answerOf(refuse('overloaded', 'x'), { ...onFhir, requestId: 'a b' }).body)).not.toHaveProperty('id')
})
