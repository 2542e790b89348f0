// What each FHIR version defines: resource types, compartments, search parameters with the elements they look at, and which of them
// link a type to patients. Everything comes from generated tables (R4, R4B, R5); an unknown name is unknown, never guessed.

import { R4_TABLE } from './definitions-r4.generated.ts'
import { R4B_TABLE } from './definitions-r4b.generated.ts'
import { R5_TABLE } from './definitions-r5.generated.ts'
import {
  type PatientLinks,
  readBlock,
  readTable,
  type SearchParameter,
  type TypeDefinition,
} from './definitions-table.ts'

export type FhirVersion = 'R4' | 'R4B' | 'R5'

export interface Definitions {
  readonly version: FhirVersion
  /** Sorted, without the abstract Resource and DomainResource. */
  readonly resourceTypes: readonly string[]
  isResourceType(name: string): boolean
  /** Whether `/{name}/{id}/{type}` is a compartment search. */
  isCompartmentType(name: string): boolean
  /** A parameter of the type or of every type; for the type `*`, a parameter of every type. */
  searchParameter(type: string, code: string): SearchParameter | undefined
  /** The type's own parameters and those of every type. */
  searchParameters(type: string): readonly SearchParameter[]
  /** Undefined for a type that no patient is linked to. A Patient is in its own compartment by its id besides. */
  patientLinks(type: string): PatientLinks | undefined
}

const TABLES: Readonly<Record<FhirVersion, string>> = { R4: R4_TABLE, R4B: R4B_TABLE, R5: R5_TABLE }
const EVERY_TYPE = 'Resource'
const read = new Map<FhirVersion, Definitions>()

export function definitionsOf(version: FhirVersion): Definitions {
  const known = read.get(version)
  if (known !== undefined) return known
  const definitions = readDefinitions(version)
  read.set(version, definitions)
  return definitions
}

/** Types whose one record names several patients: they need their own named scope (contract §5). */
const SEVERAL_PATIENTS = new Set([
  'Appointment',
  'AppointmentResponse',
  'AuditEvent',
  'Group',
  'List',
  'Person',
  'Schedule',
])

export function namesSeveralPatients(type: string): boolean {
  return SEVERAL_PATIENTS.has(type)
}

function readDefinitions(version: FhirVersion): Definitions {
  const { compartments, blocks } = readTable(TABLES[version])
  const resourceTypes = [...blocks.keys()].filter((name) => name !== EVERY_TYPE)
  const types = new Set(resourceTypes)
  const common = readBlock(blocks.get(EVERY_TYPE)!)
  const opened = new Map<string, TypeDefinition>()

  function open(type: string): TypeDefinition | undefined {
    const known = opened.get(type)
    if (known !== undefined || !types.has(type)) return known
    const definition = readBlock(blocks.get(type)!)
    opened.set(type, definition)
    return definition
  }

  return {
    version,
    resourceTypes,
    isResourceType: (name) => types.has(name),
    isCompartmentType: (name) => compartments.has(name),
    searchParameter(type, code) {
      const own = type === '*' ? common : open(type)
      return own && (own.parameters.get(code) ?? common.parameters.get(code))
    },
    searchParameters(type) {
      const own = open(type)
      return own === undefined ? [] : [...own.parameters.values(), ...common.parameters.values()]
    },
    patientLinks: (type) => open(type)?.links,
  }
}
