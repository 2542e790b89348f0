// Splits the parameters of the Patient CompartmentDefinition into primary ones (the record is about the patient) and secondary
// ones (the patient wrote, did, gets or pays it), by the rule of docs/decisions/0010.

import type { Element } from './elements.ts'
import type { Source } from './packages.ts'

const ABOUT = ['patient', 'subject', 'beneficiary', 'individual', 'actor', 'member']

export interface PatientLinks {
  primary: string[]
  secondary: string[]
  /** Whether the type is only linked to patients and not in the official compartment. */
  outside: boolean
}

export interface CompiledParameter {
  code: string
  kind: string
  /** Undefined: any type. */
  targets: string[] | undefined
  elements: Element[] | undefined
}

export function patientLinks(source: Source, type: string, parameters: CompiledParameter[]): PatientLinks | undefined {
  const compartment = source.compartments.find(({ code }) => code === 'Patient')!
  const listed = compartment.resource.find(({ code }) => code === type)?.param?.filter((code) => code !== '{def}')
  if (listed === undefined) {
    const link = parameters.find(
      ({ code, targets }) => code === 'patient' && targets?.length === 1 && targets[0] === 'Patient',
    )
    return link && { primary: ['patient'], secondary: [], outside: true }
  }
  const primary = listed.find((code) => ABOUT.includes(code))
  const elementsOf = (code: string): string => {
    const elements = parameters.find((parameter) => parameter.code === code)?.elements
    if (elements === undefined)
      throw new Error(`${source.version} ${type}?${code}: a compartment parameter must be a path`)
    return elements.map(({ steps }) => steps.join('.')).join()
  }
  // `subject` beside `patient` on the same element says the same once more.
  const secondary = listed.filter(
    (code) => code !== primary && (primary === undefined || elementsOf(code) !== elementsOf(primary)),
  )
  if (primary === undefined && type !== 'Patient')
    throw new Error(`${source.version} ${type}: no primary parameter among ${listed}`)
  return { primary: primary === undefined ? [] : [primary], secondary, outside: false }
}
