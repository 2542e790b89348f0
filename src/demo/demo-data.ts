// The packed resources that ship with the package (demo-data/README.md says where they come from).

import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

const PACKED = new URL('../../demo-data/synthea-r4.ndjson.br', import.meta.url)
const SUPPLEMENT = new URL('../../demo-data/supplement.ndjson', import.meta.url)

/** About eight thousand resources of nine synthetic patients, one printed resource a string. */
export function readDemoData(): string[] {
  return [brotliDecompressSync(readFileSync(PACKED)), readFileSync(SUPPLEMENT)].flatMap((text) =>
    text
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== ''),
  )
}
