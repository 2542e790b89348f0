// Sends a request of `requests.js` by k6: its status is what k6 counts as success or failure, its conditions become checks.

import { check } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import { CREDENTIALS, KEYS, tokenForm } from './credentials.js'

export const GATEWAY = __ENV.GATEWAY_URL || 'http://127.0.0.1:8080'
const ISSUER = __ENV.ISSUER_URL || 'http://127.0.0.1:8089'

/** For `setup`: a header for each credential, by name. */
export function obtainCredentials() {
  const headers = {}
  for (const [name, credential] of Object.entries(CREDENTIALS)) {
    const answer = http.post(`${ISSUER}/token`, tokenForm(credential), { tags: { name: 'token', kind: 'setup' } })
    if (answer.status !== 200) {
      throw new Error(`${ISSUER}/token answered ${answer.status || answer.error}: is \`npm run demo\` running there?`)
    }
    headers[name] = { Authorization: `Bearer ${answer.json('access_token')}` }
  }
  for (const [name, { secret }] of Object.entries(KEYS)) {
    if (__ENV[secret]) headers[name] = { 'X-API-Key': __ENV[secret] }
    else console.warn(`${secret} is not set: what is sent with such a key is left out`)
  }
  headers.forgedKey = { 'X-API-Key': `sgk_${'A'.repeat(43)}` }
  headers.both = { ...headers.reader, ...headers.forgedKey }
  headers.forged = { Authorization: `${headers.reader.Authorization.slice(0, -8)}AAAAAAAA` }
  return headers
}

/** All but those whose key is missing. */
export function sendable(requests) {
  return requests.filter(({ as }) => KEYS[as] === undefined || Boolean(__ENV[KEYS[as].secret]))
}

/** `headers` is what `obtainCredentials` returned. */
export function sender(headers) {
  return ({ kind, name, as, method, path, headers: own, body, status, checks }) => {
    const response = http.request(method, `${GATEWAY}${path}`, body ?? null, {
      headers: { ...own, ...(as === undefined ? {} : headers[as]) },
      redirects: 0,
      responseCallback: http.expectedStatuses(status),
      tags: { name, kind },
    })
    const answer = {
      status: response.status,
      header: (field) => fieldOf(response.headers, field),
      json: jsonOf(response),
    }
    const conditions = { [`${name}: answers ${status}`]: () => answer.status === status }
    for (const [text, holds] of Object.entries(checks)) conditions[`${name}: ${text}`] = () => holdsFor(holds, answer)
    check(null, conditions, { kind })
    return answer
  }
}

/** An exception alone would end an iteration unseen: it fails the whole run. */
export async function failingLoudly(iteration) {
  try {
    await iteration()
  } catch (error) {
    exec.test.fail(String(error.stack ?? error))
  }
}

function fieldOf(headers, field) {
  const lower = field.toLowerCase()
  const name = Object.keys(headers).find((key) => key.toLowerCase() === lower)
  return name === undefined ? undefined : headers[name]
}

function jsonOf(response) {
  try {
    return response.json()
  } catch {
    return undefined
  }
}

/** An answer that lacks what a condition looks into does not satisfy it. */
function holdsFor(holds, answer) {
  try {
    return holds(answer) === true
  } catch {
    return false
  }
}
