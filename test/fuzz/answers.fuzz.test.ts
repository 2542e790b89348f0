// A hostile upstream: answers from a grammar of tricks, mutated and in any pieces, in front of honest clients that keep their connections.
// A client gets one well-formed answer for each request, which is its own, or a broken connection; never half of two. The gateway never
// ends, and what one answer leaves on a connection never answers anybody else.

import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fieldOf, type WireRequest } from '../support/wire.ts'
import { answerText } from '../support/wire-upstream.ts'
import { makeAnswer } from './answer-grammar.ts'
import { type FuzzRig, startFuzzRig } from './fuzz-rig.ts'
import { readAnswers } from './judge.ts'
import { mutate, split } from './mutations.ts'
import { caseOf, FUZZ_SECONDS, FUZZ_SEED } from './seeded.ts'

const AT_ONCE = 32
const CORPUS = join(import.meta.dirname, 'corpus/answers')

interface Case {
  readonly name: string
  readonly line: string
  /** `{nonce}` stands for what tells the answers of this request from all others. */
  readonly pieces: readonly string[]
  /** The upstream ends the connection behind its answer. */
  readonly ends: boolean
}

const hostile = new Map<string, Case>()
let rig: FuzzRig
beforeAll(async () => {
  rig = await startFuzzRig('1s')
  rig.upstream.answer = answer
})
afterAll(() => rig.close())

/** The hostile answer for a request that has one, and an honest one that says whose it is for all others. */
function answer(request: WireRequest, socket: Socket): string | undefined {
  const nonce = fieldOf(request, 'x-correlation-id') ?? ''
  const told = hostile.get(nonce)
  if (told === undefined) return answerText(200, JSON.stringify({ nonce }), request.method, [`x-nonce: ${nonce}`])
  const whole = told.pieces.join('').replaceAll('{nonce}', nonce)
  const send = (at: number, from = 0): void => {
    if (socket.destroyed || !socket.writable) return
    const piece = told.pieces[at] && whole.slice(from, from + told.pieces[at].length)
    if (piece !== undefined)
      socket.write(Buffer.from(piece, 'latin1'), () => setImmediate(send, at + 1, from + piece.length))
    else if (told.ends) socket.end()
  }
  send(0)
  return undefined
}

const LINES = [
  'GET /app/public/x',
  'GET /app/public/x',
  'HEAD /app/public/x',
  'GET /fhir/R4/Patient/p1',
  'POST /app/write/x',
]

function generate(seed: number, index: number): Case {
  const random = caseOf(seed, index)
  const text = makeAnswer(random)
  const pieces = split(random.chance(0.5) ? mutate(text, random) : text, random)
  return { name: `seed ${seed}, answer ${index}`, line: random.pick(LINES), pieces, ends: random.chance(0.5) }
}

let count = 0
/** Three requests on one connection: an honest one, the one with the hostile answer, an honest one. */
async function run(one: Case): Promise<string | undefined> {
  // As long as `{nonce}`.
  const nonces = [0, 1, 2].map((nth) => `~${count.toString(36).padStart(5, '0')}${nth}`)
  count++
  hostile.set(nonces[1]!, one)
  const lines = ['GET /app/public/before', one.line, 'GET /app/public/after']
  const text = lines.map((line, nth) => requestText(line, nonces[nth]!, nth === 2)).join('')
  const got = await rig.exchange([rig.withTokens(text)], false)
  if (got.hung) return 'neither answered nor closed'
  const { answers, rest, fault } = readAnswers(
    got.text,
    got.text.includes('HTTP/1.1 408') ? [] : lines.map((line) => line.split(' ', 1)[0]!),
  )
  const whole = answers.filter(({ status }) => status >= 200)
  if (whole.length > 3) return `${whole.length} answers to three requests`
  // A broken connection may end within an answer: then it is the hostile one.
  if (rest !== '' && whole.length !== 1)
    return `bytes behind ${whole.length} answers: ${fault} ${JSON.stringify(rest.slice(0, 300))}`
  if (rest !== '' && fault !== undefined) return `an answer out of form: ${fault}`
  for (const [nth, { status, body, fields }] of whole.entries()) {
    const said = [fieldOf({ fields }, 'x-nonce') ?? '', body].flatMap((text) => text.match(/~[0-9a-z]{5}[012]/g) ?? [])
    const strange = said.find((nonce) => nonce !== nonces[nth])
    if (strange !== undefined) return `answer ${nth} is that of another request: ${status} ${strange}`
    // On a busy machine client and upstream of this test are slow themselves.
    if (
      nth !== 1 &&
      status !== 504 &&
      status !== 408 &&
      (status !== 200 || fieldOf({ fields }, 'x-nonce') !== nonces[nth])
    )
      return `the honest request ${nth} was answered ${status}`
    if (fields.some(([name]) => /^(?:server|upgrade|trailer|proxy-.*)$/.test(name))) return 'a field that stays behind'
  }
  return undefined
}

function requestText(line: string, nonce: string, last: boolean): string {
  const who = line.includes('Patient') ? 'alice' : line.startsWith('POST') ? 'bob' : undefined
  const fields = ['Host: client.test', `X-Correlation-Id: ${nonce}`]
  if (who !== undefined) fields.push(`Authorization: Bearer {${who}}`)
  if (line.startsWith('POST')) fields.push('Content-Length: 2')
  if (last) fields.push('Connection: close')
  return `${line} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${line.startsWith('POST') ? 'ok' : ''}`
}

async function runAll(cases: Iterator<Case>): Promise<{ faults: string[]; done: number }> {
  const faults: string[] = []
  let done = 0
  const worker = async (): Promise<void> => {
    for (let next = cases.next(); next.done !== true && faults.length < 5; next = cases.next()) {
      done++
      const { name, line, pieces, ends } = next.value
      const fault = await run(next.value)
      if (fault !== undefined) faults.push(`${name}: ${fault}\n  ${JSON.stringify({ line, ends, pieces })}`)
      if (!rig.alive()) faults.push(`the gateway ended at ${name}: ${rig.gateway.printed().slice(-2_000)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { faults, done }
}

test('answers that were found before are not found again', async () => {
  const names = readdirSync(CORPUS)
  const kept = names.map((name): Case => ({ name, ...JSON.parse(readFileSync(join(CORPUS, name), 'utf8')) }))
  expect(kept.length).toBeGreaterThan(0)
  expect((await runAll(kept.values())).faults).toEqual([])
})

test(
  'Whatever an upstream answers, a client gets its own well-formed answer or a broken connection, and never a part of two.',
  async () => {
    const until = performance.now() + FUZZ_SECONDS * 1000
    function* cases(): Generator<Case> {
      for (let index = 0; performance.now() < until; index++) yield generate(FUZZ_SEED, index)
    }
    const { faults, done } = await runAll(cases())
    console.info(`fuzz: ${done} hostile answers, FUZZ_SEED=${FUZZ_SEED} FUZZ_SECONDS=${FUZZ_SECONDS * 2}`)
    expect(faults).toEqual([])
    expect(done).toBeGreaterThan(20)
  },
  FUZZ_SECONDS * 2_000 + 60_000,
)
