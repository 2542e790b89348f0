import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantOfToken } from '../support/grants.ts'
import { codeOf } from '../support/http-client.ts'
import { InProcessGateway } from '../support/in-process-gateway.ts'
import { idOf, resourceOf, scene } from '../support/model/arbitraries.ts'
import { aboutScene, liesAbout, type Question } from '../support/model/questions.ts'
import { type Rig, startRig } from '../support/rig.ts'
import { LONG, runs } from '../support/runs.ts'

let rig: Rig
let gateway: InProcessGateway
beforeAll(async () => {
  rig = await startRig()
  gateway = new InProcessGateway({ upstream: `${rig.upstream.url}/base` })
})
afterAll(() => rig.close())

/** A search or history, whatever the store has; or a read of one resource. */
const exchange = fc.oneof(
  { weight: 3, arbitrary: aboutScene.map(([{ token, resources }, question]) => ({ token, question, resources })) },
  {
    weight: 1,
    arbitrary: scene
      .filter(({ focus }) => focus !== 'Binary')
      .chain(({ focus, token }) =>
        fc.tuple(fc.constantFrom('GET', 'HEAD'), idOf(focus), resourceOf(focus)).map(([method, id, found]) => ({
          token,
          question: { line: `${method} /fhir/R4/${focus}/${id}` } satisfies Partial<Question>,
          resources: [found],
        })),
      ),
  },
)

test('On the wire comes out, byte for byte, what comes out without sockets.', { timeout: LONG }, async () => {
  await fc.assert(
    fc.asyncProperty(exchange, async ({ token, question, resources }) => {
      const given = resources.map((resource) => ({ resource, text: JSON.stringify(resource) }))
      const body =
        'kind' in question ? liesAbout(`${rig.upstream.url}/base`, question.kind, given, [0, 1]) : given[0]!.text
      rig.upstream.reset()
      rig.upstream.script = () => ({ body })
      const options = 'form' in question && question.form !== undefined ? question.form : {}
      const claims = { patient: token.patients, ...(token.fhirUser && { fhirUser: token.fhirUser }) }
      const scope = token.scopes.join(' ')
      const real = await rig.ask(question.line, { scope, claims, ...options })
      const bare = await gateway.ask(question.line, grantOfToken(token), () => ({ status: 200, body }), options)
      expect([real.status, codeOf(real)]).toEqual([bare.status, real.text === '' ? undefined : bare.code])
      if (bare.code === undefined) expect(withoutSeals(real.text)).toBe(isHead(question) ? '' : withoutSeals(bare.text))
      expect(rig.upstream.arrived.length > 0).toBe(bare.sent !== undefined)
      if (bare.sent !== undefined) expect(rig.upstream.arrived[0]!.url).toBe(`/base${bare.sent.path}`)
    }),
    runs(0.03),
  )
})

const isHead = ({ line }: { readonly line: string }): boolean => line.startsWith('HEAD')
/** Every seal is another one. */
const withoutSeals = (text: string): string => text.replaceAll(/_page\/[\w-]+/g, '_page/…')
