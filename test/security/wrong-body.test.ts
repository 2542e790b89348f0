// The decision is made by the URL, so a body of another type or id must never be whole at the upstream.

import { expect, test } from 'vitest'
import { inspectResource } from '../../src/proxy/resource-inspection.ts'
import { OK, passThrough, startRawUpstream } from '../proxy/support/pass-through.ts'

const inspection = () => inspectResource({ type: 'Patient', id: 'p1' })
const filler = Array.from({ length: 4_000 }, (_, i) => ({ system: 'urn:x', value: `${i}` }))

test.each<[string, object, number]>([
  ['the right resource', { resourceType: 'Patient', id: 'p1', identifier: filler }, 200],
  ['a wrong type, at once', { resourceType: 'Observation', id: 'p1', identifier: filler }, 400],
  ['a wrong type, at the very end', { identifier: filler, id: 'p1', resourceType: 'Observation' }, 400],
  ['a wrong id', { resourceType: 'Patient', id: 'p2', identifier: filler }, 400],
  ['no id', { resourceType: 'Patient', identifier: filler }, 400],
])('%s', async (_name, resource, status) => {
  const body = JSON.stringify(resource)
  for (const framing of ['length', 'chunks'] as const) {
    const upstream = await startRawUpstream((received, socket) => {
      if (received.endsWith('}') || received.endsWith('0\r\n\r\n')) socket.write(OK)
    })
    const gateway = await passThrough(upstream.url, { inspection })
    const stream = new Blob([body]).stream()
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/Patient/p1`, {
      method: 'PUT',
      body: framing === 'length' ? body : stream,
      ...(framing === 'length' ? {} : { duplex: 'half' as const }),
    })
    expect(answer.status).toBe(status)
    const received = upstream.connections.map(({ text }) => text).join('')
    if (status === 200) expect(received.replaceAll(/\r\n[0-9a-f]+\r\n/g, '')).toContain('"value":"3999"')
    else {
      expect(await answer.text()).toContain('body-invalid')
      expect(received.endsWith('0\r\n\r\n')).toBe(false)
      expect(received.length).toBeLessThan(body.length)
    }
  }
})
