// Reads the generated tables of FHIR definitions (scripts/generate-definitions), one block of lines for each resource type:
//
//   Observation                            the type, then perhaps its place in the Patient compartment:
//   @ subject;performer                    primary;secondary parameters (`@ outside …`: only linked to patients)
//   code kind>Target,Target path path…     a search parameter; no `>`: a reference to any type; no path: not a path
//
// A path is `component*.code:CodeableConcept`: `*` an array, `[system=email]` a filter on the element before it, then the datatype,
// `>Patient` the type that `resolve()` must give, `@http://…` the code system that a `code` implies. A block is read when it is first asked for.

export type SearchParameterKind =
  | 'token'
  | 'reference'
  | 'string'
  | 'date'
  | 'uri'
  | 'number'
  | 'quantity'
  | 'composite'
  | 'special'

export interface PathStep {
  readonly name: string
  /** Whether JSON writes the element as an array. */
  readonly many: boolean
  /** Only elements with this value of this member. */
  readonly where?: { readonly member: string; readonly value: string }
}

export interface ElementPath {
  readonly steps: readonly PathStep[]
  /** FHIR datatype of the element at the end of the path: `CodeableConcept`, `Reference`, `dateTime` … */
  readonly datatype: string
  /** The resource type that the reference must point to. */
  readonly only?: string
  /** The code system that an element of datatype `code` implies. */
  readonly system?: string
  /** Whether a resource can hold at most one such element. */
  readonly single: boolean
}

export interface SearchParameter {
  readonly code: string
  readonly kind: SearchParameterKind
  /** Types that a reference may point to; empty where it may be any, or where the parameter is no reference. */
  readonly targets: readonly string[]
  /** Where its values stand in a resource; undefined when that is not a path, so that the parameter cannot be evaluated. */
  readonly paths: readonly ElementPath[] | undefined
}

/** Search parameter codes that link a type to patients: the record is about the patient, or the patient took another part in it. */
export interface PatientLinks {
  readonly primary: readonly string[]
  readonly secondary: readonly string[]
  /** False for the types that FHIR leaves outside the compartment though they name a patient (Device, Task …). */
  readonly inCompartment: boolean
}

export interface TypeDefinition {
  readonly links: PatientLinks | undefined
  readonly parameters: ReadonlyMap<string, SearchParameter>
}

export interface DefinitionTable {
  readonly compartments: ReadonlySet<string>
  /** The unread block of each type; `Resource` holds the parameters of all types. */
  readonly blocks: ReadonlyMap<string, string>
}

export function readTable(text: string): DefinitionTable {
  const [compartments, ...blocks] = text.split('\n\n')
  const nameOf = (block: string): string => block.slice(0, block.indexOf('\n') < 0 ? undefined : block.indexOf('\n'))
  return {
    compartments: new Set(compartments!.split(' ').slice(1)),
    blocks: new Map(blocks.map((block) => [nameOf(block), block])),
  }
}

export function readBlock(block: string): TypeDefinition {
  const lines = block.split('\n').slice(1)
  const links = lines[0]?.startsWith('@') ? readLinks(lines.shift()!) : undefined
  const parameters = lines.map(readParameter)
  return { links, parameters: new Map(parameters.map((parameter) => [parameter.code, parameter])) }
}

function readLinks(line: string): PatientLinks {
  const [primary, secondary] = line.slice(line.lastIndexOf(' ') + 1).split(';') as [string, string]
  const codes = (list: string): string[] => (list === '' ? [] : list.split(','))
  return { primary: codes(primary), secondary: codes(secondary), inCompartment: !line.startsWith('@ outside') }
}

function readParameter(line: string): SearchParameter {
  const [code, whom, ...paths] = line.split(' ') as [string, string, ...string[]]
  const [kind, targets] = whom.split('>') as [SearchParameterKind, string | undefined]
  return {
    code,
    kind,
    targets: targets === undefined ? [] : targets.split(','),
    paths: paths.length === 0 ? undefined : paths.map(readPath),
  }
}

const PATH = /^([^:]+):([A-Za-z]+)(?:>([A-Za-z]+))?(?:@(.+))?$/
const STEP = /^([A-Za-z]+)(\*)?(?:\[([A-Za-z]+)=([^\]]+)\])?$/

function readPath(text: string): ElementPath {
  const [, route, datatype, only, system] = PATH.exec(text)!
  const steps = route!.split('.').map(readStep)
  return {
    steps,
    datatype: datatype!,
    single: steps.every(({ many }) => !many),
    ...(only === undefined ? {} : { only }),
    ...(system === undefined ? {} : { system }),
  }
}

function readStep(text: string): PathStep {
  const [, name, many, member, value] = STEP.exec(text)!
  const step = { name: name!, many: many !== undefined }
  return member === undefined ? step : { ...step, where: { member, value: value! } }
}
