// How many cases a property takes: a share of CASES (10,000 in `npm test`, 100,000 in `npm run test:deep`), from a seed that is
// printed, so that a failure can be had again by SEED.

const CASES = Number(process.env['CASES'] ?? 10_000)
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 0x7fffffff))

export function runs(share: number): { numRuns: number; seed: number } {
  const numRuns = Math.ceil(CASES * share)
  console.info(`${numRuns} cases from seed ${SEED}`)
  return { numRuns, seed: SEED }
}

/** Enough for the cases, however many. */
export const LONG = 20_000 + CASES * 30
