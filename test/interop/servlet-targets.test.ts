// The canonical target against what real servlet containers make of it: for each target that the gateway accepts, Tomcat and Jetty see the
// path and the parameters that it decided on; for some of them, through a whole gateway. TARGETS sets how many are accepted, FUZZ_SEED which.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseRequestTarget, printTarget, type RequestTarget } from '../../src/domain/http/request-target.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { caseOf, FUZZ_SEED } from '../fuzz/seeded.ts'
import { type Addresses, PUBLIC_URL, startRig } from '../support/rig.ts'
import { type JavaProgram, runsInterop, startJava } from './support/java.ts'
import { makeTarget } from './target-grammar.ts'

const TARGETS = Number(process.env['TARGETS'] ?? 100_000)
const AT_ONCE = 250
const THROUGH = 5_000

interface Seen {
  readonly path: string
  readonly parameters: readonly (readonly string[])[]
}

interface Accepted {
  readonly raw: string
  readonly print: string
  readonly decided: Seen
}

/** What was decided on, in the form of a servlet: values by name, names in the order in which they came first. */
function decidedOn({ path, segments, parameters }: RequestTarget): Seen {
  const byName = Map.groupBy(parameters, ({ name }) => name)
  const slash = path.length > 1 && path.endsWith('/') ? '/' : ''
  return {
    path: `/${segments.join('/')}${slash}`,
    parameters: [...byName].map(([name, all]) => [name, ...all.map(({ value }) => value)]),
  }
}

/** Sends many targets ahead on one connection; a container that closes it is asked for the rest on a new one. */
async function ask(port: number, prints: readonly string[]): Promise<(Seen | number)[]> {
  const answers: (Seen | number)[] = []
  while (answers.length < prints.length) {
    const before = answers.length
    await askOnce(port, prints.slice(answers.length), answers)
    if (answers.length === before) throw new Error(`no answer to ${prints[before]}`)
  }
  return answers
}

function askOnce(port: number, prints: readonly string[], answers: (Seen | number)[]): Promise<void> {
  const wanted = answers.length + prints.length
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(prints.map((print) => `GET ${print} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
    })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let head = text.indexOf('\r\n\r\n'); head >= 0; head = text.indexOf('\r\n\r\n')) {
        const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1] ?? 0)
        const end = head + 4 + length
        if (text.length < end) break
        const status = Number(text.slice(9, 12))
        answers.push(status === 200 ? (JSON.parse(text.slice(head + 4, end)) as Seen) : status)
        text = text.slice(end)
      }
      if (answers.length === wanted) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
  })
}

describe.skipIf(!runsInterop())('servlet containers', () => {
  let java: JavaProgram
  const ports: Record<string, number> = {}
  beforeAll(async () => {
    java = startJava('servlet', 'EchoServer.java')
    const [, tomcat, jetty] = await java.prints(/tomcat (\d+) jetty (\d+)/, 120_000)
    Object.assign(ports, { tomcat: Number(tomcat), jetty: Number(jetty) })
  }, 600_000)
  afterAll(() => java.end())

  test('Tomcat and Jetty see of every accepted target what was decided on.', async () => {
    const disagreements: string[] = []
    const refused: Record<string, number> = { gateway: 0, tomcat: 0, jetty: 0 }
    let accepted = 0
    for (let index = 0; accepted < TARGETS; ) {
      const batch: Accepted[] = []
      for (; batch.length < AT_ONCE; index++) {
        const raw = makeTarget(caseOf(FUZZ_SEED, index))
        const target = parseRequestTarget(raw, 200)
        if (isRefusal(target)) refused['gateway']!++
        else batch.push({ raw, print: printTarget(target), decided: decidedOn(target) })
      }
      accepted += batch.length
      for (const [name, port] of Object.entries(ports)) {
        const answers = await ask(
          port,
          batch.map(({ print }) => print),
        )
        for (const [nth, seen] of answers.entries()) {
          const { raw, print, decided } = batch[nth]!
          if (typeof seen === 'number') refused[name]!++
          else if (JSON.stringify(seen) !== JSON.stringify(decided)) {
            disagreements.push(`${name}: ${raw} as ${print}\n  ${JSON.stringify(seen)}\n  ${JSON.stringify(decided)}`)
          }
        }
      }
      if (disagreements.length > 20) break
    }
    console.info(
      `${accepted} targets accepted, FUZZ_SEED=${FUZZ_SEED}; refused: ${JSON.stringify(refused)}; ${disagreements.length} disagreements`,
    )
    expect(disagreements.slice(0, 20)).toEqual([])
    // A container that refuses nearly all would agree with everything.
    expect(refused['tomcat']! / accepted).toBeLessThan(0.05)
    expect(refused['jetty']! / accepted).toBeLessThan(0.05)
  }, 1_200_000)

  test('Through a whole gateway it is the same: Tomcat sees what was decided on, or nothing.', async () => {
    const map = (at: Addresses): string => `
version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: ${PUBLIC_URL} }
issuers: [{ name: ehr, issuer: "${at.issuer}", audience: ["${PUBLIC_URL}"], jwks: "${at.jwks}" }]
upstreams: { tomcat: { url: "http://127.0.0.1:${ports['tomcat']}" } }
routes: [{ name: any, upstream: tomcat, match: { GET /*: public } }]
`
    const rig = await startRig({ map })
    try {
      const raws = Array.from({ length: THROUGH }, (_, index) => makeTarget(caseOf(FUZZ_SEED, -1 - index)))
      // No bare control characters, blanks or bytes beyond ASCII: those never come as far as a target.
      const sent = raws.filter((raw) => /^\/[\x21-\x7e]*$/.test(raw) && !/^\/(?:scopes|\.well-known)/.test(raw))
      const answers = await ask(rig.port, sent)
      let seen = 0
      for (const [nth, answer] of answers.entries()) {
        const target = parseRequestTarget(sent[nth]!, 200)
        if (isRefusal(target)) expect(answer, sent[nth]).toBe(target.status)
        else {
          expect(answer, sent[nth]).toEqual(decidedOn(target))
          seen++
        }
      }
      console.info(`${seen} of ${sent.length} targets came through the gateway`)
      expect(seen).toBeGreaterThan(THROUGH / 4)
    } finally {
      await rig.close()
    }
  }, 600_000)
})
