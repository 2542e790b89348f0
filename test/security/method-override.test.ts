// A request decided as POST must not be a DELETE to the framework behind: Rack, Rails, Laravel and Symfony take `_method`, others the
// override headers or parameters of their names. Headers stay here, parameters are refused, in a form too.

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()

test.each(['X-HTTP-Method', 'X-HTTP-Method-Override', 'X-Method-Override', 'X-Original-Method'])(
  '%s does not arrive',
  async (name) => {
    const fields = [border.authorization, `${name}: DELETE`, 'Content-Length: 2']
    const { bytes } = await border.passed(requestText('POST /app/x', fields, 'ok'))
    expect(bytes).toMatch(/^POST \/base\/app\/x HTTP/)
    expect(bytes).not.toMatch(/override|x-http|original-method|DELETE/i)
  },
)

test.each(['X_HTTP_Method_Override', 'X.HTTP.Method', 'X~Method~Override'])('%s is refused', async (name) => {
  await border.refused(requestText('GET /app/x', [border.authorization, `${name}: DELETE`]), '400 header-ambiguous')
})

test.each([
  '_method=DELETE',
  '_METHOD=DELETE',
  '%5fmethod=DELETE',
  'a=b&_method=put',
  '_method',
  'X-HTTP-Method-Override=DELETE',
  'x-http-method=DELETE',
  'X_Method_Override=DELETE',
  '_HttpMethod=DELETE',
])('?%s is refused on every route', async (query) => {
  for (const line of [`POST /app/x?${query}`, `GET /fhir/R4/Patient?${query}`, `POST /fhir/R4/Patient?${query}`]) {
    const body = line.startsWith('POST') ? '{}' : ''
    await border.refused(
      requestText(line, [border.authorization, `Content-Length: ${body.length}`], body),
      '400 target-ambiguous',
    )
  }
})

test('in the form of a search', async () => {
  const body = 'code=1&_method=DELETE'
  const fields = [
    border.authorization,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ]
  await border.refused(requestText('POST /fhir/R4/Observation/_search', fields, body), '400 target-ambiguous')
})

test('in the address of a Bundle entry', async () => {
  const entry = { request: { method: 'GET', url: 'Patient/p1?_method=DELETE' } }
  const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry] })
  const fields = [border.authorization, 'Content-Type: application/fhir+json', `Content-Length: ${body.length}`]
  const { text } = await border.send(requestText('POST /fhir/R4', fields, body))
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(border.upstream.requests.map(({ method }) => method)).toEqual([])
})
