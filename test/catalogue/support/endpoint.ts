// One row of the table that states which scopes cover which endpoint.

import type { Ask } from '../../support/http-client.ts'

/** What stands behind the gateway in the demo. */
export type Behind =
  | 'nexus'
  | 'nexus-r5'
  | 'prime-fhir'
  | 'Beacon Ingest'
  | 'Identity & GPID'
  | 'Plexus IAM'
  | 'Prime Wearables'
  | 'Horizon Analytics'
  | 'TEFCA Gateway'
  | 'Velocity RCM'
  | 'CMS Ecosystem'

export interface Endpoint {
  /** `METHOD target`; `{n}` is another number in each request, `{status}` and `{file}` what an export was told to ask for. */
  readonly line: string
  /** What the line does not show. */
  readonly note?: string
  readonly behind: Behind
  readonly covers: readonly string[]
  /** Scopes that cover it together, and none of them alone. */
  readonly together?: readonly string[]
  /** Scopes that cover a part of it. */
  readonly partly?: readonly string[]
  readonly ask?: Ask
  /** Of an export that an app without launch started: sealed for it, and for anybody else not there. */
  readonly exported?: 'everything' | 'Patient'
  /** Scopes that cover it as far as this parameter goes, which the gateway adds. */
  readonly within?: Readonly<Record<string, string>>
  /** A resource that is in the store before each request. */
  readonly stored?: object
  /** Type of the resource that a FHIR server answers with, where it answers with one. */
  readonly answers?: string
}

/** The launch patient, and the one whose resources are asked for. */
export const PATIENT = '3'

export function titleOf({ line, note }: Endpoint): string {
  return note === undefined ? line : `${line} (${note})`
}
