// Prints the definitions of one FHIR version as a table in text, the form that `src/domain/fhir/definitions-table.ts` reads.
// Sorted throughout, so that the same packages always give the same bytes.

import { type Element, type Walk, walker } from './elements.ts'
import { compile, NotExpressible } from './expression.ts'
import type { OfficialParameter, Source } from './packages.ts'
import { type CompiledParameter, patientLinks } from './patient-links.ts'

/** Datatypes that a parameter of each kind can look at; an alternative of another datatype can never match. */
const DATATYPES: Record<string, string[]> = {
  token: [
    'CodeableConcept',
    'Coding',
    'CodeableReference',
    'code',
    'Identifier',
    'ContactPoint',
    'boolean',
    'string',
    'id',
    'uri',
    'canonical',
    'url',
    'oid',
    'uuid',
  ],
  reference: ['Reference', 'CodeableReference', 'canonical', 'uri'],
  string: ['string', 'markdown', 'HumanName', 'Address'],
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  uri: ['uri', 'url', 'canonical', 'oid', 'uuid'],
  number: ['integer', 'positiveInt', 'unsignedInt', 'decimal', 'Range'],
  quantity: ['Quantity', 'Age', 'Duration', 'Money', 'Count', 'Distance', 'Range'],
}

export function printTable(source: Source): string {
  const walk = walker(source)
  const compartments = source.compartments.map(({ code }) => code).sort()
  const blocks = ['Resource', ...source.resourceTypes].map((type) => printType(source, type, walk))
  return [`compartments ${compartments.join(' ')}`, ...blocks].join('\n\n')
}

function printType(source: Source, type: string, walk: Walk): string {
  const bases = type === 'Resource' ? ['Resource', 'DomainResource'] : [type]
  const official = source.parameters.filter(({ base }) => base!.some((name) => bases.includes(name)))
  const parameters = [...new Map(official.map((one) => [one.code, one])).values()]
    .map((parameter) => compileParameter(source, parameter, type, walk))
    .sort((one, other) => (one.code < other.code ? -1 : 1))
  const links = patientLinks(source, type, parameters)
  const compartment =
    links === undefined
      ? []
      : [`@${links.outside ? ' outside' : ''} ${links.primary.join(',')};${links.secondary.join(',')}`]
  return [type, ...compartment, ...parameters.map(printParameter)].join('\n')
}

function compileParameter(source: Source, parameter: OfficialParameter, type: string, walk: Walk): CompiledParameter {
  const { code, type: kind } = parameter
  const elements = elementsOf(parameter, type, walk)
  if (kind !== 'reference') return { code, kind, targets: undefined, elements }
  const named = [...new Set(parameter.target ?? [])].sort()
  // All types, or all but the few that nothing refers to, are printed as any.
  const any = named.length === 0 || named.includes('Resource') || named.length > source.resourceTypes.length - 10
  const only = elements?.every((element) => element.only !== undefined)
    ? [...new Set(elements.map((element) => element.only!))]
    : undefined
  const targets = only === undefined ? (any ? undefined : named) : only.filter((name) => any || named.includes(name))
  return { code, kind, targets, elements }
}

function elementsOf({ expression, type: kind }: OfficialParameter, type: string, walk: Walk): Element[] | undefined {
  const datatypes = DATATYPES[kind]
  if (expression === undefined || datatypes === undefined) return undefined
  try {
    const elements = compile(expression, type, walk).filter(({ datatype }) => datatypes.includes(datatype))
    const distinct = [...new Map(elements.map((element) => [printElement(element), element])).values()]
    return distinct.length === 0 ? undefined : distinct
  } catch (error) {
    if (error instanceof NotExpressible) return undefined
    throw error
  }
}

function printParameter({ code, kind, targets, elements }: CompiledParameter): string {
  const whom = targets === undefined ? kind : `${kind}>${targets.join(',')}`
  return [code, whom, ...(elements ?? []).map(printElement)].join(' ')
}

function printElement({ steps, datatype, only, system }: Element): string {
  const suffix = only === undefined ? '' : `>${only}`
  return `${steps.join('.')}:${datatype}${suffix}${system === undefined ? '' : `@${system}`}`
}
