// What this version carries out, so that discovery documents promise no more. Whoever builds a line's feature turns it.

export interface Enforced {
  /** Searches under patient/ scopes are cut to the launch patient's compartment. */
  readonly patientScopes: boolean
  /** Operations that the route map lists are opened. */
  readonly operations: boolean
  /** Pages of other origins may call the FHIR endpoint; as the route map says. */
  readonly crossOrigin: boolean
}

export const ENFORCED: Enforced = { patientScopes: true, operations: true, crossOrigin: false }
