// A FHIR request from one readable line, such as `GET /Patient/1?_format=json`, read by the gateway's own parsers.

import { decide } from '../../src/domain/decision/decide.ts'
import type { Decision } from '../../src/domain/decision/decision.ts'
import type { FhirPolicy } from '../../src/domain/decision/policy.ts'
import { type Definitions, definitionsOf } from '../../src/domain/fhir/definitions.ts'
import { type Interaction, parseInteraction } from '../../src/domain/fhir/interaction.ts'
import { type FhirRequest, readFhirRequest } from '../../src/domain/fhir-request.ts'
import type { Grant } from '../../src/domain/grant.ts'
import { parseRequestTarget } from '../../src/domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'

export const R4 = definitionsOf('R4')

export interface Extras {
  readonly body?: string
  readonly ifNoneExist?: string
  readonly definitions?: Definitions
}

/** The same reading as the gateway's: target, interaction, required access. */
export function readLine(line: string, extras: Extras = {}): FhirRequest | Refusal {
  const [method, target] = split(line)
  const parsed = parseRequestTarget(target)
  if (isRefusal(parsed)) return parsed
  const { segments, parameters } = parsed
  return readFhirRequest(
    { method, segments, parameters, ifNoneExist: extras.ifNoneExist },
    extras.body,
    { bundleEntries: 100, searchParameters: 200 },
    extras.definitions ?? R4,
  )
}

export function interactionOf(line: string, extras: Extras = {}): Interaction | Refusal {
  const [method, target] = split(line)
  const parsed = parseRequestTarget(target)
  if (isRefusal(parsed)) return parsed
  const { segments, parameters } = parsed
  return parseInteraction({ method, segments, parameters, ifNoneExist: extras.ifNoneExist }, extras.definitions ?? R4)
}

/** Reads and decides. A request that cannot be read is refused like any other. */
export function decideLine(line: string, grant: Grant, policy: FhirPolicy, extras: Extras = {}): Decision | Refusal {
  const request = readLine(line, extras)
  return isRefusal(request) ? request : decide(request.required, grant, policy)
}

/** `forward`, or the code of the refusal. */
export function verdictOn(line: string, grant: Grant, policy: FhirPolicy, extras: Extras = {}): string {
  const decision = decideLine(line, grant, policy, extras)
  if (isRefusal(decision)) return decision.code
  return decision.outcome === 'deny' ? decision.refusal.code : decision.outcome
}

export function bundleOf(type: 'batch' | 'transaction', entries: readonly unknown[]): string {
  return JSON.stringify({ resourceType: 'Bundle', type, entry: entries })
}

function split(line: string): [method: string, target: string] {
  const space = line.indexOf(' ')
  return [line.slice(0, space), line.slice(space + 1)]
}
