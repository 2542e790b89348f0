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
  '.method=DELETE',
  '%20_method=DELETE',
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

const FORM = 'application/x-www-form-urlencoded'
const part = (name: string): string => `--b\r\nContent-Disposition: form-data; name=${name}\r\n\r\nDELETE\r\n--b--\r\n`

test.each<[string, string, string]>([
  ['a field of a form', FORM, 'a=b&_method=DELETE&c=d'],
  ['the first field', FORM, '_METHOD=DELETE'],
  ['the last, without a value', FORM, 'a=b&_method'],
  ['encoded', FORM, 'a=b&%5F%6D%65thod=DELETE'],
  ['as PHP reads it', FORM, 'a=b&+.method=DELETE'],
  ['behind a semicolon', FORM, 'a=b;_method=DELETE'],
  ['a field of many', FORM, `${'a=bbbbbbbb&'.repeat(20_000)}X-HTTP-Method-Override=PUT`],
  ['a part', 'multipart/form-data; boundary=b', part('"_method"')],
  ['a part without quotes', 'Multipart/Form-Data; boundary=b', part('_method')],
  [
    'a part behind a file',
    'multipart/form-data; boundary=b',
    `--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n${'x'.repeat(200_000)}\r\n${part('"_method"')}`,
  ],
])('to other products: %s', async (_, type, body) => {
  const fields = [border.authorization, `Content-Type: ${type}`]
  const whole = requestText('POST /app/x', [...fields, `Content-Length: ${body.length}`], body)
  const { text } = await border.send(whole)
  expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"target-ambiguous"/)
  const chunks = [...body.match(/[\s\S]{1,7}/g)!.slice(0, 50), body.slice(350)].filter((chunk) => chunk !== '')
  const chunked = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  const again = await border.send(
    requestText('POST /app/x', [...fields, 'Transfer-Encoding: chunked'], `${chunked}0\r\n\r\n`),
  )
  expect(again.text).toMatch(/^HTTP\/1\.1 400 /)
  expect(border.upstream.requests).toEqual([])
})

test('an honest form arrives byte for byte, and what only looks like a field does', async () => {
  for (const [type, body] of [
    [FORM, 'method=DELETE&a=_method&x=%zz&payment_method=card'],
    ['multipart/form-data; boundary=b', part('"method"')],
    ['application/json', '{"_method":"DELETE"}'],
  ] as const) {
    border.upstream.reset()
    const fields = [border.authorization, `Content-Type: ${type}`, `Content-Length: ${body.length}`]
    expect((await border.passed(requestText('POST /app/x', fields, body))).body).toBe(body)
  }
})

test('in the address of a Bundle entry', async () => {
  const entry = { request: { method: 'GET', url: 'Patient/p1?_method=DELETE' } }
  const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry] })
  const fields = [border.authorization, 'Content-Type: application/fhir+json', `Content-Length: ${body.length}`]
  const { text } = await border.send(requestText('POST /fhir/R4', fields, body))
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(border.upstream.requests.map(({ method }) => method)).toEqual([])
})
