// Walks StructureDefinitions: from an element to a named member of it, through backbone elements, datatypes, content references
// and choice types, which JSON writes as one member for each datatype (`value[x]` → `valueQuantity`).

import type { ElementDefinition, Source } from './packages.ts'

/** An element reached from the root of a resource. */
export interface Element {
  /** Steps from the root in the notation of the tables: `name`, `name*` for an array, each perhaps with `[member=value]`. */
  steps: string[]
  datatype: string
  /** Where its members are defined. */
  path: string
  /** The member of a choice type as FHIRPath names it, without the datatype: `value`. */
  choice: boolean
  /** The type that `resolve() is T` demands of a reference. */
  only?: string
  /** For `code`: the one code system of its required value set. */
  system?: string
}

export type Walk = (from: Element, member: string) => Element[]

export function rootOf(type: string): Element {
  return { steps: [], datatype: type, path: type, choice: false }
}

export function walker({ structures, valueSets }: Source): Walk {
  const elements = new Map<string, ElementDefinition>()
  for (const { snapshot } of structures.values())
    for (const element of snapshot.element) elements.set(element.path, element)

  return function walk(from, member) {
    const base = `${from.path}.${member}`
    const plain = elements.get(base)
    if (plain !== undefined) return datatypesOf(plain).map((datatype) => step(from, member, plain, datatype, false))
    const choice = elements.get(`${base}[x]`)
    if (choice === undefined) return []
    return datatypesOf(choice).map((datatype) => step(from, member + capitalized(datatype), choice, datatype, true))
  }

  function step(from: Element, name: string, element: ElementDefinition, datatype: string, choice: boolean): Element {
    const backbone = datatype === 'BackboneElement' || datatype === 'Element'
    const path = element.contentReference?.replace(/^.*#/, '') ?? (backbone ? element.path : datatype)
    const system = datatype === 'code' ? systemOf(element) : undefined
    const steps = [...from.steps, element.max === '1' ? name : `${name}*`]
    return { steps, datatype, path, choice, ...(system === undefined ? {} : { system }) }
  }

  function datatypesOf(element: ElementDefinition): string[] {
    if (element.contentReference !== undefined) return ['BackboneElement']
    const codes = (element.type ?? []).map(({ code, extension }) =>
      code.startsWith('http://hl7.org/fhirpath/')
        ? (extension?.find(({ url }) => url.endsWith('/structuredefinition-fhir-type'))?.valueUrl ?? 'string')
        : code,
    )
    return [...new Set(codes)]
  }

  function systemOf({ binding }: ElementDefinition): string | undefined {
    if (binding?.strength !== 'required' || binding.valueSet === undefined) return undefined
    const compose = valueSets.get(binding.valueSet.split('|')[0]!)?.compose
    if (compose === undefined || compose.exclude !== undefined) return undefined
    const systems = new Set(
      compose.include.map(({ system, valueSet }) => (valueSet === undefined ? system : undefined)),
    )
    return systems.size === 1 ? [...systems][0] : undefined
  }
}

function capitalized(name: string): string {
  return name[0]!.toUpperCase() + name.slice(1)
}
