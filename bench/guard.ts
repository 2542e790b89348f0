// How fast a guarded answer is checked: megabytes of a searchset in one second of one core, beside bare JSON.parse of the same bytes in
// the same run. The Bundle comes in pieces of 64 KiB, as from a socket, and every entry is judged by the scopes named below.
//
//   npm run bench:guard -- [--seconds 2] [--rounds 5] [--json]

import { parseArgs } from 'node:util'
import { readDemoData } from '../src/demo/demo-data.ts'
import type { Constraint } from '../src/domain/constraint/constraint.ts'
import { decide } from '../src/domain/decision/decide.ts'
import { compileCatalogue, type FhirPolicy } from '../src/domain/decision/policy.ts'
import { definitionsOf } from '../src/domain/fhir/definitions.ts'
import { readFhirRequest } from '../src/domain/fhir-request.ts'
import { grantOf } from '../src/domain/grant.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import { guardedBundle } from '../src/proxy/guarded-bundle.ts'
import { compilePublicUrls } from '../src/proxy/public-url.ts'
import { judgeEntries } from '../src/server/fhir/guarded-answers.ts'

const UPSTREAM = 'http://127.0.0.1:8901/fhir'
const MB = 1_000_000
const PIECE = 64 * 1024
const MOST_HELD = 10 * 1024 * 1024
const LABORATORY = 'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})

interface Case {
  readonly name: string
  readonly type: string
  readonly scopes: readonly string[]
  readonly indent: number
}

const CASES: readonly Case[] = [
  { name: 'a patient’s Observations', type: 'Observation', scopes: ['patient/Observation.rs'], indent: 0 },
  { name: 'the same, printed with spaces', type: 'Observation', scopes: ['patient/Observation.rs'], indent: 2 },
  {
    name: 'only the laboratory results',
    type: 'Observation',
    scopes: [`patient/Observation.rs?${LABORATORY}`],
    indent: 0,
  },
  { name: 'every type of the patient', type: 'Observation', scopes: ['patient/*.rs'], indent: 0 },
  { name: 'ExplanationOfBenefit', type: 'ExplanationOfBenefit', scopes: ['patient/*.rs'], indent: 0 },
]

/** About a megabyte of one patient's resources of a type, as a server would answer with them. */
function searchset(type: string, indent: number): Buffer {
  const entries: string[] = []
  let bytes = 0
  const found = readDemoData().filter(
    (line) => line.includes(`"resourceType":"${type}"`) && line.includes('"Patient/1"'),
  )
  for (let i = 0; bytes < MB; i++) {
    const resource = JSON.parse(found[i % found.length]!)
    const entry = { fullUrl: `${UPSTREAM}/${type}/${resource.id}`, resource, search: { mode: 'match' } }
    entries.push(JSON.stringify(entry, null, indent))
    bytes += entries.at(-1)!.length
  }
  const link = [{ relation: 'self', url: `${UPSTREAM}/${type}?patient=1` }]
  const head = JSON.stringify({ resourceType: 'Bundle', type: 'searchset', total: entries.length, link }, null, indent)
  return Buffer.from(`${head.slice(0, head.lastIndexOf('}'))},"entry":[${entries.join(',')}]}`)
}

function checkOf({ type, scopes }: Case): (body: Buffer) => number {
  const policy: FhirPolicy = {
    route: 'bench',
    smart: true,
    worths: [],
    userScopes: 'delegate',
    criteriaWithoutSearch: false,
    catalogue: compileCatalogue([]),
    definitions: definitionsOf('R4'),
    operations: [],
    compartment: 'primary',
    sharedTypes: new Set(['Practitioner', 'Organization']),
    ownBases: [UPSTREAM],
  }
  const grant = grantOf(
    { kind: 'bearer', audience: [], scopes, patients: ['1'], expiresAt: Number.MAX_SAFE_INTEGER },
    (text) => text,
  )
  const line = { method: 'GET', segments: [type], parameters: [] }
  const request = readFhirRequest(line, undefined, { bundleEntries: 1, searchParameters: 10 }, policy.definitions)
  if (isRefusal(request)) throw new Error(request.detail)
  const decision = decide(request.required, grant, policy)
  if (decision.outcome !== 'guard' && decision.outcome !== 'narrow-guard') throw new Error(decision.outcome)
  const constraint: Constraint = decision.constraints[0]!
  const urls = compilePublicUrls([UPSTREAM], 'https://api.example.org/fhir/R4')
  return (body) => {
    let bytes = 0
    const out = {
      write(piece: Buffer) {
        bytes += piece.length
      },
    }
    const judge = judgeEntries(request.interaction, constraint)
    const transform = guardedBundle({ links: { urls }, judge, mostHeld: MOST_HELD, mayBeEmpty: true })
    for (let at = 0; at < body.length; at += PIECE) {
      if (transform.write(body.subarray(at, at + PIECE), out) !== undefined) throw new Error('refused')
    }
    if (transform.end(out) !== undefined) throw new Error('refused')
    return bytes
  }
}

/** Megabytes in a second of processor time. */
function speed(body: Buffer, run: (body: Buffer) => unknown): number {
  const until = performance.now() + (Number(values.seconds) * 1000) / Number(values.rounds)
  const before = process.cpuUsage()
  let bytes = 0
  while (performance.now() < until) {
    run(body)
    bytes += body.length
  }
  const { user, system } = process.cpuUsage(before)
  return bytes / (user + system)
}

const median = (figures: readonly number[]): number =>
  [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)]!

const rows = CASES.map((one) => {
  const body = searchset(one.type, one.indent)
  const check = checkOf(one)
  const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString())
  const guarded: number[] = []
  const parsed: number[] = []
  // The first round warms both up and does not count.
  for (let round = 0; round <= Number(values.rounds); round++) {
    const speeds = [speed(body, check), speed(body, parse)] as const
    if (round === 0) continue
    guarded.push(speeds[0])
    parsed.push(speeds[1])
  }
  const [guard, json] = [median(guarded), median(parsed)]
  return { name: one.name, bytes: body.length, released: check(body), guard, json, ratio: guard / json }
})

if (values.json) console.log(JSON.stringify(rows, null, 2))
else {
  console.log('\nguarded MB/s   JSON.parse MB/s   ratio   bytes in     out       answer')
  for (const { name, bytes, released, guard, json, ratio } of rows) {
    const figures = [guard.toFixed(0).padStart(12), json.toFixed(0).padStart(17), ratio.toFixed(2).padStart(7)]
    console.log(`${figures.join(' ')}   ${String(bytes).padStart(8)} ${String(released).padStart(8)}   ${name}`)
  }
}
