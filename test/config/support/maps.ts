// Route maps for tests: a sound one, changed in one place, and what loading it says.
import { readFileSync } from 'node:fs'
import { loadRouteMap } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/settings.ts'
import type { Environment } from '../../../src/config/source/environment.ts'
import { printProblem } from '../../../src/config/source/problem.ts'

export const SAMPLES = ['contract', 'minimal', 'plain', 'several'] as const

export const sample = (name: (typeof SAMPLES)[number]): string =>
  readFileSync(new URL(`../samples/${name}.yaml`, import.meta.url), 'utf8')

/** A reference to the environment. */
export const ref = (inner: string): string => `\${${inner}}`

/** What `check` would say: problems, and warnings marked as such. */
export function said(text: string, env: Environment = {}): { problems: string[]; warnings: string[] } {
  const loaded = loadRouteMap(text, { file: 'routes.yaml', env })
  return {
    problems: 'problems' in loaded ? loaded.problems.map(printProblem) : [],
    warnings: loaded.warnings.map(printProblem),
  }
}

export function settingsFrom(text: string, env: Environment = {}): Settings {
  const loaded = loadRouteMap(text, { file: 'routes.yaml', env })
  if ('problems' in loaded) throw new Error(loaded.problems.map(printProblem).join('\n'))
  return loaded.settings
}

const BASE = `version: 1
server: { listen: 127.0.0.1:8080 }
issuers:
  - { name: ehr, issuer: https://ehr.example.org, audience: [http://127.0.0.1:8080/fhir], jwks: https://ehr.example.org/jwks }
upstreams:
  hapi: { url: http://127.0.0.1:8101/fhir }
scopes:
  Products:
    product.read: { description: Read., credentials: [api-key, oauth2] }
    product.write: { description: Write., credentials: [oauth2] }
routes:
  - { name: fhir, fhir: R4, path: /fhir, upstream: hapi, smart: true }
`

/** The sound map with one text replaced by another (which must be there), or with more lines at its end. */
export function mapWith(change: { replace?: readonly [string, string]; append?: string }): string {
  const [from, to] = change.replace ?? ['', '']
  if (!BASE.includes(from)) throw new Error(`not in the map: ${from}`)
  return BASE.replace(from, () => to) + (change.append ?? '')
}

/** The sound map with one more route, given as YAML of a map in braces. */
export const mapWithRoute = (route: string): string => mapWith({ append: `  - ${route}\n` })

/** The sound map whose FHIR route says more. */
export const mapWithFhirKey = (keys: string): string =>
  mapWith({ replace: ['smart: true }', `smart: true, ${keys} }`] })
