// The table of search parameters, compiled: which parameter of which type is of which kind and looks where. Written by
// hand, on purpose independent of the tables that the gateway decides by, so that this store is a second witness.

import { compilePaths, type ElementPath } from './element-path.ts'
import { ADMINISTRATION } from './parameters-administration.ts'
import { CLINICAL } from './parameters-clinical.ts'
import { DIAGNOSTICS } from './parameters-diagnostics.ts'
import { FINANCIAL } from './parameters-financial.ts'
import { WORKFLOW } from './parameters-workflow.ts'

export type ParameterKind = 'token' | 'reference' | 'string' | 'date' | 'uri' | 'number' | 'quantity' | 'composite'

export interface SearchParameter {
  readonly name: string
  readonly kind: ParameterKind
  readonly paths: readonly ElementPath[]
  /** The only type of target that counts: `patient` looks at `subject`, and only at Patients there. */
  readonly target?: string
  /** The parts of a composite, each read below the elements that `paths` leads to. */
  readonly parts?: readonly SearchParameter[]
}

type ParametersOfType = ReadonlyMap<string, SearchParameter>

const EVERY_TYPE = `
  _id token id
  _lastUpdated date meta.lastUpdated
  _profile uri meta.profile
  _security token meta.security
  _source uri meta.source
  _tag token meta.tag`

/** What a type without a table of its own is searched by; a path that the type lacks leads nowhere. */
const OTHER_TYPE = `
  category token category
  code token code
  encounter reference encounter
  identifier token identifier
  name string name
  patient reference(Patient) subject|patient
  status token status
  subject reference subject
  url uri url`

const LINE = /^(\S+) (token|reference|string|date|uri|number|quantity|composite)(?:\(([A-Za-z]+)\))? (.+)$/

function compile(text: string): [string, SearchParameter][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, name, kind, target, where] = LINE.exec(line) ?? []
      if (name === undefined || where === undefined) throw new Error(`unreadable search parameter: ${line}`)
      if (kind === 'composite') return [name, compileComposite(name, where)]
      const parameter = { name, kind: kind as ParameterKind, paths: compilePaths(where) }
      return [name, target === undefined ? parameter : { ...parameter, target }]
    })
}

/** `root>a:kind:path;b:kind:path`; without `root>`, or where it is `.`, the parts are read on the resource itself. */
function compileComposite(name: string, text: string): SearchParameter {
  const cut = text.indexOf('>')
  const parts = text.slice(cut + 1).split(';')
  return {
    name,
    kind: 'composite',
    paths: cut < 0 ? [[]] : compilePaths(text.slice(0, cut)).map((path) => path.filter((step) => step.name !== '')),
    parts: parts.map((part) => {
      const [partName, kind, path] = part.split(':')
      return { name: `${name}$${partName}`, kind: kind as ParameterKind, paths: compilePaths(path!) }
    }),
  }
}

const common = compile(EVERY_TYPE)
const others: ParametersOfType = new Map([...common, ...compile(OTHER_TYPE)])
const byType = new Map<string, ParametersOfType>(
  Object.entries({ ...CLINICAL, ...DIAGNOSTICS, ...WORKFLOW, ...ADMINISTRATION, ...FINANCIAL }).map(([type, text]) => [
    type,
    new Map([...common, ...compile(text)]),
  ]),
)

export function parametersOf(type: string): ParametersOfType {
  return byType.get(type) ?? others
}

export function findParameter(type: string, name: string): SearchParameter | undefined {
  return parametersOf(type).get(name)
}
