// What clients do in a soak: reads, searches, guarded and denied requests, writes, batches and a server that breaks; each with what it
// may be answered. Every fifth request is left by its client, before the answer or in the middle of it. WebSockets beside them.

import { Agent, type ClientRequest, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { runWebSockets } from './web-sockets.ts'
import type { World } from './world.ts'

interface Kind {
  readonly name: string
  readonly weight: number
  readonly scope: string
  readonly patient?: string
  /** `n` is a number of the request. */
  readonly line: (n: number) => string
  readonly body?: (n: number) => object
  /** An answer may break off; with status 0 here, so may the connection. */
  readonly expected: readonly number[]
}

const OBSERVATIONS = '/fhir/R4/Observation?_count=50'

const KINDS: readonly Kind[] = [
  { name: 'read', weight: 6, scope: 'user/*.rs', line: () => 'GET /fhir/R4/Patient/3', expected: [200] },
  { name: 'search', weight: 4, scope: 'user/*.rs', line: () => `GET ${OBSERVATIONS}&patient=3`, expected: [200] },
  {
    name: 'guarded',
    weight: 4,
    scope: 'patient/*.rs',
    patient: '3',
    line: () => `GET ${OBSERVATIONS}`,
    expected: [200],
  },
  {
    name: 'withheld',
    weight: 2,
    scope: 'patient/*.rs',
    patient: '3',
    line: () => 'GET /fhir/R4/Observation/not-there',
    expected: [404],
  },
  { name: 'denied', weight: 2, scope: 'user/Patient.r', line: () => `GET ${OBSERVATIONS}`, expected: [403] },
  {
    name: 'write',
    weight: 2,
    scope: 'user/*.cruds',
    line: (n) => `PUT /fhir/R4/Basic/soak-${n % 50}`,
    body: (n) => ({ resourceType: 'Basic', id: `soak-${n % 50}`, code: { text: `number ${n}` } }),
    expected: [200, 201],
  },
  {
    name: 'batch',
    weight: 2,
    scope: 'user/*.cruds',
    line: () => 'POST /fhir/R4',
    body: () => ({
      resourceType: 'Bundle',
      type: 'batch',
      entry: ['Patient/3', 'Patient/4', 'Observation?_count=10'].map((url) => ({ request: { method: 'GET', url } })),
    }),
    expected: [200],
  },
  {
    name: 'broken',
    weight: 3,
    scope: 'flaky.read',
    line: (n) => `GET /flaky?n=${Math.floor(n / 7)}`,
    expected: [200, 0, 502, 503],
  },
]

const TURNS = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind))
const LEFT_EVERY = 5
const WEB_SOCKETS = 6

export interface Tally {
  readonly answered: ReadonlyMap<string, number>
  readonly left: number
  /** What nothing here explains. */
  readonly unexplained: readonly string[]
}

/** Something has come to an end, as it may or not. */
export type Count = (what: string, expected: boolean) => void

export interface SoakLoad {
  readonly tally: Tally
  stop(): Promise<void>
}

export function startSoakLoad(port: number, clients: number, world: World): SoakLoad {
  const answered = new Map<string, number>()
  const unexplained: string[] = []
  const tally = { answered, left: 0, unexplained }
  let running = true
  let count = 0

  const told: Count = (what, expected) => {
    answered.set(what, (answered.get(what) ?? 0) + 1)
    if (!expected) unexplained.push(`${new Date().toISOString()} ${what}`)
  }

  async function runClient(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (running) {
      const n = count++
      const kind = TURNS[(n * 7) % TURNS.length]!
      const leaves = n % LEFT_EVERY === 0
      const status = await ask(kind, n, leaves, agent)
      if (leaves) tally.left++
      else told(`${kind.name} ${status}`, kind.expected.includes(status))
      await wait(1)
    }
    agent.destroy()
  }

  async function ask(kind: Kind, n: number, leaves: boolean, agent: Agent): Promise<number> {
    const token = await world.token(kind.scope, kind.patient)
    const [method = '', path = ''] = kind.line(n).split(' ')
    const body = kind.body && JSON.stringify(kind.body(n))
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/fhir+json', 'content-length': Buffer.byteLength(body) }),
    }
    return new Promise((resolve) => {
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
        response.on('error', () => resolve(0))
        response.on('end', () => resolve(response.statusCode!))
        response.resume()
        if (leaves && n % 2 === 0) response.once('data', () => sent.destroy())
      })
      sent.on('error', () => resolve(0))
      sent.on('close', () => resolve(0))
      if (leaves) leaveSometime(sent)
      sent.end(body)
    })
  }

  const webSockets = Array.from({ length: WEB_SOCKETS }, () => runWebSockets(port, world, () => running, told))
  const all = Promise.all([...Array.from({ length: clients }, runClient), ...webSockets])
  return {
    tally,
    async stop() {
      running = false
      await all
    },
  }
}

function leaveSometime(sent: ClientRequest): void {
  setTimeout(() => sent.destroy(), Math.random() * 30)
}
