// What the admin port answers to a revocation, and when: not before every process has heard it.

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { Revocations } from '../../../src/credentials/revocations.ts'
import type { AdminReply } from '../../../src/server/admin/admin-place.ts'
import { type RevocationPlaceOptions, revocationPlaces } from '../../../src/server/admin/revocation-place.ts'

const ISS = 'https://ehr.example.org'
const now = (): number => 1_800_000_000_000

function post(options: Partial<RevocationPlaceOptions>): Promise<AdminReply> {
  const [place] = revocationPlaces({
    revocations: new Revocations(now),
    file: () => undefined,
    issuers: () => [ISS],
    now,
    ...options,
  })
  const body = Readable.from([Buffer.from(JSON.stringify({ iss: ISS, jti: 't1' }))])
  return Promise.resolve(
    place!.answer(Object.assign(body, { method: 'POST', headers: {} }) as unknown as IncomingMessage),
  )
}

test('nobody is told that a token is revoked while a worker has not heard it, nor is the file written before', async () => {
  const steps: string[] = []
  let heard = (): void => {}
  const everybody = new Promise<void>((resolve) => {
    heard = resolve
  })
  const told = new Promise<void>((begun) => {
    void post({
      broadcast: (revocations) => {
        steps.push(`told ${revocations.length}`)
        begun()
        return everybody
      },
      file: () => ({ problems: [], append: async () => void steps.push('written') }),
    }).then((reply) => steps.push(`answered ${'status' in reply ? reply.status : ''}`))
  })
  await told
  await new Promise((resolve) => setImmediate(resolve))
  expect(steps).toEqual(['told 1'])
  heard()
  await expect.poll(() => steps).toEqual(['told 1', 'written', 'answered 200'])
})
