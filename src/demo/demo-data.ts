// The resources that ship with the package; demo-data/README.md says where they come from.

import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import type { Resource } from './fhir/resource.ts'

const PACKED = new URL('../../demo-data/synthea-r4.ndjson.br', import.meta.url)
const SUPPLEMENT = new URL('../../demo-data/supplement.json', import.meta.url)

/** When the packed resources were last updated, as they say themselves; the same in every run. */
export const DEMO_DATA_TIME = '2026-01-15T08:00:00.000Z'

/** About eight thousand resources of nine synthetic patients, one printed resource a string. */
export function readDemoData(): string[] {
  const packed = brotliDecompressSync(readFileSync(PACKED)).toString('utf8').split('\n')
  const supplement = JSON.parse(readFileSync(SUPPLEMENT, 'utf8')) as Resource[]
  return [...packed.filter((line) => line !== ''), ...supplement.map(printVersionOne)]
}

/** The form that ResourceStore.load reads: version and time first. */
function printVersionOne({ resourceType, id, meta, ...elements }: Resource): string {
  return JSON.stringify({
    resourceType,
    id,
    meta: { versionId: '1', lastUpdated: DEMO_DATA_TIME, ...meta },
    ...elements,
  })
}
