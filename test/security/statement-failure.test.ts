// A FHIR server whose CapabilityStatement cannot be had, because it is broken off or never comes: it is told so, nothing waits for it
// but who asks for it, and everything else is decided as ever.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
let store: Server
afterEach(async () => {
  await rig.close()
  store.closeAllConnections()
  await new Promise((closed) => store.close(closed))
})

const READ = 'GET /fhir/R4/Patient/p1'

test.each(['broken off', 'stalled'])('%s', { timeout: 30_000 }, async (how) => {
  let asked = 0
  let reads = 0
  store = createServer((request, response) => {
    if (request.url!.endsWith('/metadata')) {
      asked++
      if (how === 'broken off') request.socket.destroy()
      return
    }
    reads++
    response.setHeader('content-type', 'application/fhir+json').end('{"resourceType":"Patient","id":"p1"}')
  })
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve))
  rig = await startRig({ map: fhirMap({ store: `http://127.0.0.1:${(store.address() as AddressInfo).port}/base` }) })
  const statements = Array.from({ length: 5 }, () => rig.ask('GET /fhir/R4/metadata'))
  const answers = await Promise.all([
    rig.ask(READ, { scope: 'user/*.rs' }),
    rig.ask(READ, { scope: 'user/Observation.rs' }),
    rig.ask(READ),
  ])
  expect(answers.map(verdictOf)).toEqual(['200', '403 scope-insufficient', '401 token-missing'])
  expect(reads).toBe(1)
  const told = (await Promise.all(statements)).map(verdictOf)
  expect(new Set(told)).toEqual(new Set(['502 upstream-unreachable']))
  // They share what is asked.
  expect(asked).toBeLessThanOrEqual(3)
})
