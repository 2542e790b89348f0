import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grantOfToken } from '../support/grants.ts'
import { type AskOptions, type Given, InProcessGateway, UPSTREAM_BASE } from '../support/in-process-gateway.ts'
import { idOf, resource, resourceOf, scene } from '../support/model/arbitraries.ts'
import type { Loose } from '../support/model/elements.ts'
import { aboutScene, liesAbout, type Question, type Raw } from '../support/model/questions.ts'
import {
  type ModelSetting,
  type ModelToken,
  mayReachRecordOf,
  opens,
  SHARED_BY_DEFAULT,
  sees,
} from '../support/model/sight.ts'
import { BASE } from '../support/rig.ts'
import { LONG, runs } from '../support/runs.ts'

const ownBases = [BASE, UPSTREAM_BASE]
const settings: readonly { readonly on: ModelSetting; readonly gateway: InProcessGateway }[] = [
  { on: { compartment: 'primary', shared: SHARED_BY_DEFAULT, ownBases }, gateway: new InProcessGateway() },
  {
    on: { compartment: 'full', shared: ['Organization'], ownBases },
    gateway: new InProcessGateway({ route: 'patientScopes: { compartment: full, sharedTypes: [Organization] }' }),
  },
]
const setting = fc.nat(settings.length - 1)
/** Bytes in each piece of the upstream's answer. */
const piece = fc.constantFrom(5, 100, 1000, 100_000)

test('What comes out of a store that ignores the search, orders oddly and lies is what the scopes cover, byte for byte.', {
  timeout: LONG,
}, async () => {
  const lies = fc.record({
    indent: fc.constantFrom(0, 1, 3),
    modes: fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }),
    /** Members of a resource in another order: how many places on they stand. */
    turned: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(6)),
    /** The name of a member with an escape in it, which means the same. */
    escaped: fc.option(fc.constantFrom('subject', 'category', 'resourceType', 'id', 'patient')),
  })
  await fc.assert(
    fc.asyncProperty(aboutScene, lies, setting, piece, async ([{ token, resources }, asked], lie, at, size) => {
      const { on, gateway } = settings[at]!
      const given = resources.map((one) => ({ resource: one, text: textOf(one, lie) }))
      const body = liesAbout(UPSTREAM_BASE, asked.kind, given, lie.modes)
      const options: AskOptions = { ...asked.form, piece: size }
      const answer = await gateway.ask(asked.line, grantOfToken(token), () => ({ status: 200, body }), options)
      switch (verdictOn(asked, token, on)) {
        case 'refused':
          expect([answer.status, answer.sent]).toEqual([403, undefined])
          return
        case 'unread':
          expect(released(answer)).toEqual(given.map(printed))
          return
        default: {
          const seen = expected(given, asked, token, on)
          if (asked.id !== undefined && seen.length === 0) expect(answer.code).toBe('not-found')
          else expectExactly(answer, seen)
        }
      }
    }),
    runs(0.5),
  )
})

function textOf(
  resource: Loose,
  { indent, turned, escaped }: { readonly indent: number; readonly turned: number; readonly escaped: string | null },
): string {
  const members = Object.entries(resource)
  const at = turned % members.length
  const text = JSON.stringify(Object.fromEntries([...members.slice(at), ...members.slice(0, at)]), null, indent)
  if (escaped === null) return text
  const code = escaped.charCodeAt(0).toString(16).padStart(4, '0')
  return text.replace(`"${escaped}":`, `"\\u${code}${escaped.slice(1)}":`)
}

function verdictOn(asked: Question, token: ModelToken, on: ModelSetting): 'refused' | 'unread' | 'guarded' {
  const { type, letter, id, besides } = asked
  const needs = [{ type, letters: letter as string }, ...besides].map((need) =>
    opens(need.type, need.letters, token, on),
  )
  if (needs.includes('nothing')) return 'refused'
  if (needs.every((extent) => extent === 'everything')) return 'unread'
  const isOfStranger = type === 'Patient' && id !== undefined && !mayReachRecordOf(id, type, letter, token, on)
  return isOfStranger ? 'refused' : 'guarded'
}

/** What the model lets out of such an answer: in order, and last each Provenance whose proof came after it. */
function expected(
  given: readonly Raw[],
  { letters, id }: Question,
  token: ModelToken,
  on: ModelSetting,
): readonly Raw[] {
  const out: Raw[] = []
  const isSeen = ({ resource: one }: Raw): boolean => {
    const beside = out.map((other) => other.resource)
    return sees(one, letters(one.resourceType), token, on, beside) !== 'no'
  }
  const asked = given.filter((one) => id === undefined || one.resource.id === id)
  const later: Raw[] = []
  for (const one of asked) (isSeen(one) ? out : later).push(one)
  for (const one of later) if (one.resource.resourceType === 'Provenance' && isSeen(one)) out.push(one)
  return out
}

function expectExactly(answer: Given, seen: readonly Raw[]): void {
  expect(answer.status).toBe(200)
  expect(released(answer)).toEqual(seen.map(printed))
  for (const { text } of seen) expect(answer.text).toContain(text)
  expect(answer.json.total).toBeUndefined()
  const around = (answer.json.entry ?? []).map((entry: Loose) => ({ ...entry, resource: undefined }))
  expect(JSON.stringify({ ...answer.json, entry: around })).not.toContain(UPSTREAM_BASE)
}

const printed = ({ text }: Raw): string => JSON.stringify(JSON.parse(text))

function released({ json }: Given): readonly string[] {
  return (json.entry ?? []).map((entry: Loose) => JSON.stringify(entry.resource))
}

test('A read gives the resource that was asked for if the scopes cover it as it stands there, and otherwise nothing.', {
  timeout: LONG,
}, async () => {
  // A Binary is judged by another resource, which is asked for besides.
  const stored = scene
    .filter(({ focus }) => focus !== 'Binary')
    .chain(({ focus, token }) => {
      const found = fc.oneof({ weight: 5, arbitrary: resourceOf(focus) }, { weight: 1, arbitrary: resource })
      return fc.record({ token: fc.constant(token), type: fc.constant(focus), id: idOf(focus), found })
    })
  const door = fc.constantFrom('GET', 'HEAD', 'vread')
  await fc.assert(
    fc.asyncProperty(stored, door, setting, piece, async ({ token, type, id, found }, by, at, size) => {
      const { on, gateway } = settings[at]!
      const line = `${by === 'HEAD' ? 'HEAD' : 'GET'} /fhir/R4/${type}/${id}${by === 'vread' ? '/_history/3' : ''}`
      const body = JSON.stringify(found, null, 1)
      const answer = await gateway.ask(line, grantOfToken(token), () => ({ status: 200, body }), { piece: size })
      const extent = opens(type, 'r', token, on)
      const isAsked = found.resourceType === type && found.id === id
      if (extent === 'nothing' || (type === 'Patient' && !mayReachRecordOf(id, type, 'r', token, on)))
        expect([answer.status, answer.sent]).toEqual([403, undefined])
      else if (extent === 'everything' || (isAsked && sees(found, 'r', token, on) !== 'no'))
        expect([answer.status, answer.text]).toEqual([200, body])
      else expect([answer.code, answer.text]).toEqual(['not-found', ''])
    }),
    runs(0.2),
  )
})
