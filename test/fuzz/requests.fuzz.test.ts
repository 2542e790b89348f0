// Clients of bare bytes: generated requests, mutated and in any pieces, several on a connection. Whatever arrives at the upstream was
// decided, is one plain request, and is permitted to the credential that carried it; every connection is answered or closed; the gateway
// never answers 5xx without an upstream's cause and never ends. Findings are kept in `corpus/` and sent again in every run.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fieldOf } from '../support/wire.ts'
import { type FuzzRig, startFuzzRig } from './fuzz-rig.ts'
import { faultOfArrival, faultOfDecision, readAnswers } from './judge.ts'
import { mutate, split } from './mutations.ts'
import { type Made, makeRequest } from './request-grammar.ts'
import { caseOf, FUZZ_SECONDS, FUZZ_SEED } from './seeded.ts'

const AT_ONCE = 48
const CORPUS = join(import.meta.dirname, 'corpus/requests')

let rig: FuzzRig
beforeAll(async () => {
  rig = await startFuzzRig('8s')
})
afterAll(() => rig.close())

interface Case {
  readonly name: string
  readonly pieces: readonly string[]
  readonly ends: boolean
  /** Where nothing odd was put in: what was asked. */
  readonly honest?: readonly Made[] | undefined
}

function generate(seed: number, index: number): Case {
  const random = caseOf(seed, index)
  const count = random.pick([1, 1, 1, 2, 3, 6])
  const made = Array.from({ length: count }, (_, i) =>
    makeRequest(random, `n${index}-${i}`, i === count - 1 && random.chance(0.7)),
  )
  const text = made.map((one) => one.text).join('')
  const mutated = random.chance(0.4)
  return {
    name: `seed ${seed}, case ${index}`,
    pieces: split(mutated ? mutate(text, random) : text, random),
    ends: random.chance(0.3),
    honest: !mutated && made.every(({ honest }) => honest) ? made : undefined,
  }
}

/** Faults of what the client got; what the upstream got is judged for all together. */
async function run({ pieces, ends, honest }: Case): Promise<string | undefined> {
  const { text, hung, prompt } = await rig.exchange(pieces.map(rig.withTokens), ends)
  if (hung) return 'neither answered nor closed'
  // Whoever is too slow is told so, whatever the method was to be.
  const methods = text.includes('HTTP/1.1 408') ? [] : honest?.map(({ method }) => method)
  const { answers, fault, rest } = readAnswers(text, methods)
  if (fault !== undefined) return `an answer out of form: ${fault}`
  if (rest !== '') return `bytes behind the answers: ${JSON.stringify(rest.slice(0, 200))}`
  const broken = answers.find(({ status }) => status >= 500)
  if (broken !== undefined) return `answered ${broken.status}: ${broken.body}`
  for (const { status, body } of answers) {
    if (status >= 400 && !/"code":"[a-z-]+"|code value="[a-z-]+"/.test(body) && body !== '')
      return `a ${status} without a code: ${body}`
  }
  // A refused body is not read, so nothing is read behind it.
  const closed = /(?:^|, ?)close/i.test(fieldOf(answers.at(-1) ?? { fields: [] }, 'connection') ?? '')
  if (honest !== undefined && prompt && !ends && answers.length !== honest.length && !closed) {
    return `${answers.length} answers to ${honest.length} requests`
  }
  return undefined
}

function faultsUpstream(): string[] {
  const { requests, malformed } = rig.upstream
  const seen = new Set<string>()
  const faults = malformed.map((what) => `arrived out of form: ${what}`)
  for (const request of requests) {
    const id = fieldOf(request, 'x-request-id')
    const fault =
      faultOfArrival(request) ??
      faultOfDecision(request, id, rig.lines.get(id ?? '')) ??
      (seen.has(id!) ? 'twice' : undefined)
    seen.add(id!)
    if (fault !== undefined) faults.push(`arrived ${fault}: ${JSON.stringify(request.bytes)}`)
  }
  return faults
}

async function runAll(cases: Iterator<Case>): Promise<{ faults: string[]; count: number }> {
  const faults: string[] = []
  let count = 0
  const worker = async (): Promise<void> => {
    for (let next = cases.next(); next.done !== true && faults.length < 5; next = cases.next()) {
      count++
      const fault = await run(next.value)
      if (fault !== undefined)
        faults.push(
          `${next.value.name}: ${fault}\n  ${JSON.stringify({ ends: next.value.ends, pieces: next.value.pieces })}`,
        )
      if (!rig.alive()) faults.push(`the gateway ended at ${next.value.name}: ${rig.gateway.printed().slice(-2_000)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  // The log is written behind the answers.
  await new Promise((resolve) => setTimeout(resolve, 300))
  return { faults: [...faults, ...faultsUpstream()], count }
}

test('what was found before is not found again', async () => {
  const kept = readdirSync(CORPUS).map(
    (name): Case => ({ name, ...JSON.parse(readFileSync(join(CORPUS, name), 'utf8')) }),
  )
  expect(kept.length).toBeGreaterThan(0)
  rig.upstream.reset()
  const { faults } = await runAll(kept.values())
  expect(faults).toEqual([])
})

test(
  'Whatever arrives at the upstream was decided, reads as what was decided, and is permitted to the credential that carried it.',
  async () => {
    rig.upstream.reset()
    const until = performance.now() + FUZZ_SECONDS * 1000
    function* cases(): Generator<Case> {
      for (let index = 0; performance.now() < until; index++) yield generate(FUZZ_SEED, index)
    }
    const { faults, count } = await runAll(cases())
    const arrived = rig.upstream.requests.length
    console.info(
      `fuzz: ${count} connections, ${arrived} requests arrived, FUZZ_SEED=${FUZZ_SEED} FUZZ_SECONDS=${FUZZ_SECONDS * 2}`,
    )
    expect(faults).toEqual([])
    expect(count).toBeGreaterThan(20)
    expect(arrived).toBeGreaterThan(20)
  },
  FUZZ_SECONDS * 2_000 + 60_000,
)
