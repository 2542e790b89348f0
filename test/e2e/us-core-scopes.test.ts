// Every resource-level scope of US Core under user/ and system/, in front of a store that really has the data: `rs` reads and
// searches its type and nothing else, and each single letter opens exactly its interactions (spec §1.4).

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDemoData } from '../../src/demo/demo-data.ts'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { US_CORE_TYPES } from '../../src/domain/smart/us-core.ts'
import { codeOf, verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, type RigAsk, startRig } from '../support/rig.ts'

let store: FhirServer
let rig: Rig
beforeAll(async () => {
  store = await startFhirServer({ packed: readDemoData(), pageSize: 2, record: true })
  rig = await startRig({ map: fhirMap({ store: store.url }) })
})
afterAll(async () => {
  await rig.close()
  await store.close()
})

interface Asked {
  /** Every one of these letters is needed. */
  readonly letters: string
  readonly line: string
  readonly more?: RigAsk
}

/** Nothing here changes or removes what the store came with. */
function interactions(type: string, id: string): Readonly<Record<string, Asked>> {
  const at = `/fhir/R4/${type}`
  const own = `${at}/own`
  const resource = { resourceType: type }
  const body = { body: { ...resource, id: 'own' } }
  const patch = {
    headers: { 'content-type': 'application/json-patch+json' },
    body: '[{"op":"add","path":"/language","value":"en"}]',
  }
  const nothing = '_id=no-such-id'
  return {
    read: { letters: 'r', line: `GET ${at}/${id}` },
    'read by HEAD': { letters: 'r', line: `HEAD ${at}/${id}` },
    vread: { letters: 'r', line: `GET ${at}/${id}/_history/1` },
    'history of one': { letters: 'r', line: `GET ${at}/${id}/_history` },
    search: { letters: 's', line: `GET ${at}?_count=1` },
    'search by POST': {
      letters: 's',
      line: `POST ${at}/_search`,
      more: { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '_count=1' },
    },
    'history of all': { letters: 's', line: `GET ${at}/_history?_count=1` },
    update: { letters: 'u', line: `PUT ${own}`, more: body },
    patch: { letters: 'u', line: `PATCH ${own}`, more: patch },
    delete: { letters: 'd', line: `DELETE ${own}` },
    create: { letters: 'c', line: `POST ${at}`, more: { body: resource } },
    'conditional create': {
      letters: 'cs',
      line: `POST ${at}`,
      more: { body: resource, headers: { 'if-none-exist': `_id=${id}` } },
    },
    'conditional update': { letters: 'us', line: `PUT ${at}?_id=own`, more: body },
    'conditional patch': { letters: 'us', line: `PATCH ${at}?${nothing}`, more: patch },
    'conditional delete': { letters: 'ds', line: `DELETE ${at}?${nothing}` },
  }
}

async function anyId(type: string): Promise<string> {
  const { json } = await rig.ask(`GET /fhir/R4/${type}?_count=1`, { scope: 'system/*.s' })
  return json.entry[0].resource.id
}

/** In the order of the table, so that a delete finds what an update made. */
async function permitted(scope: string, type: string, id: string): Promise<string[]> {
  const names: string[] = []
  for (const [name, { line, more }] of Object.entries(interactions(type, id))) {
    const before = store.requests.length
    const answer = await rig.ask(line, { scope, ...more })
    // HEAD has no body to tell by whom it was answered.
    const refused = name.endsWith('HEAD') ? answer.status === 403 : codeOf(answer) !== undefined
    expect(store.requests.length - before, `${scope} ${line}`).toBe(refused ? 0 : 1)
    if (!refused) names.push(name)
    else if (!name.endsWith('HEAD')) expect(verdictOf(answer)).toBe('403 scope-insufficient')
    if (!refused && !name.startsWith('conditional') && name !== 'patch')
      expect(answer.status, answer.text).toBeLessThan(300)
  }
  return names
}

const openedBy = (letters: string): string[] =>
  Object.entries(interactions('X', 'x'))
    .filter(([, asked]) => [...asked.letters].every((letter) => letters.includes(letter)))
    .map(([name]) => name)

describe.each(US_CORE_TYPES)('%s', (type) => {
  test.each(['user', 'system'])('%s', async (context) => {
    const id = await anyId(type)
    for (const letters of ['rs', 'c', 'r', 'u', 'd', 's']) {
      expect(await permitted(`${context}/${type}.${letters}`, type, id), letters).toEqual(openedBy(letters))
    }
  })

  test('no other type', async () => {
    for (const other of US_CORE_TYPES.filter((one) => one !== type)) {
      const before = store.requests.length
      for (const line of [`GET /fhir/R4/${other}/x`, `GET /fhir/R4/${other}`]) {
        expect(verdictOf(await rig.ask(line, { scope: `user/${type}.rs system/${type}.rs` }))).toBe(
          '403 scope-insufficient',
        )
      }
      expect(store.requests).toHaveLength(before)
    }
  })
})

test('the words of version 1', async () => {
  const id = await anyId('Observation')
  for (const [word, letters] of [
    ['read', 'rs'],
    ['write', 'cud'],
    ['*', 'cruds'],
  ] as const) {
    expect(await permitted(`user/Observation.${word}`, 'Observation', id), word).toEqual(openedBy(letters))
  }
  expect(openedBy('cruds')).toEqual(Object.keys(interactions('X', 'x')))
})
