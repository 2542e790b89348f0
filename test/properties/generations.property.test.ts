// Reloads at any moment, in any order, while requests come and go: what a request uses is open until it is over, and nothing stays
// open for nobody.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Keeper, type Lease } from '../../src/server/generations/keeper.ts'

interface Part {
  readonly settings: number
  open: boolean
}

interface Generation {
  readonly lease: Lease
  readonly parts: readonly Part[]
  running: number
  retired: boolean
}

type Step =
  | { readonly kind: 'begin' }
  | { readonly kind: 'end'; readonly which: number }
  | { readonly kind: 'reload'; readonly settings: readonly number[]; readonly fails: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const) }),
  fc.record({ kind: fc.constant('end' as const), which: fc.nat(20) }),
  fc.record({
    kind: fc.constant('reload' as const),
    settings: fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }),
    fails: fc.boolean(),
  }),
)

test('A part is open while a request of a generation that uses it runs, is closed once when the last such generation is over, and is never made twice for settings that are open.', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const keeper = new Keeper()
      const made: Part[] = []
      const open = (settings: readonly number[]): Generation => {
        const lease = keeper.lease()
        const parts = settings.map((value, index) =>
          lease.part(
            `part ${index}`,
            { value },
            () => {
              const part = { settings: value, open: true }
              made.push(part)
              return part
            },
            (part: Part) => {
              expect(part.open).toBe(true)
              part.open = false
            },
          ),
        )
        return { lease, parts, running: 0, retired: false }
      }
      const all: Generation[] = []
      const closeIfOver = async (generation: Generation): Promise<void> => {
        if (generation.retired && generation.running === 0) await generation.lease.end(0)
      }
      let current = open([0, 0, 0])
      all.push(current)
      const running: Generation[] = []
      const check = (): void => {
        const used = new Set(all.filter((it) => !it.retired || it.running > 0).flatMap(({ parts }) => parts))
        for (const part of made) expect(part.open).toBe(used.has(part))
        expect(keeper.size).toBe(used.size)
      }
      for (const one of steps) {
        if (one.kind === 'begin') {
          current.running++
          running.push(current)
        } else if (one.kind === 'end' && running.length > 0) {
          const [generation] = running.splice(one.which % running.length, 1)
          generation!.running--
          await closeIfOver(generation!)
        } else if (one.kind === 'reload') {
          const next = open(one.settings)
          if (one.fails) await next.lease.end(0)
          else {
            current.retired = true
            await closeIfOver(current)
            current = next
            all.push(next)
          }
        }
        check()
      }
    }),
  )
})
