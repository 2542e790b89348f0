// The files that the pages are made of besides their HTML, read once at start from the package: nothing comes from elsewhere.

import { readFileSync } from 'node:fs'

export interface Asset {
  readonly name: string
  readonly contentType: string
  readonly body: Buffer
}

const FOLDER = new URL('../../../../assets/scope-reference/', import.meta.url)

const FILES: readonly (readonly [name: string, contentType: string])[] = [
  ['page.css', 'text/css; charset=utf-8'],
  ['theme.js', 'text/javascript; charset=utf-8'],
  ['reference.js', 'text/javascript; charset=utf-8'],
  ['search.js', 'text/javascript; charset=utf-8'],
  ['search-rank.js', 'text/javascript; charset=utf-8'],
  ['matrix.js', 'text/javascript; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
]

export function readAssets(): readonly Asset[] {
  return FILES.map(([name, contentType]) => ({ name, contentType, body: readFileSync(new URL(name, FOLDER)) }))
}
