// The launch patient and the user that a token names (SMART App Launch §launch context; spec §6.3). They come from verified
// claims alone. INVARIANT: what cannot be read is unknown, and unknown never counts as "anyone".

const ID = /^[A-Za-z0-9\-.]{1,64}$/
const REFERENCE = /^([A-Z][A-Za-z]{0,63})\/([A-Za-z0-9\-.]{1,64})$/
const NO_PATIENT_ELSEWHERE =
  /^https?:\/\/[^?#\s]+\/(?:Practitioner|PractitionerRole|RelatedPerson)\/[A-Za-z0-9\-.]{1,64}$/

/** Plain ids, or `Patient/id`; one text or an array of linked patients. One unreadable entry makes the whole claim unknown. */
export function readPatients(claim: unknown): readonly string[] {
  const entries: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  const ids = new Set<string>()
  for (const entry of entries) {
    if (typeof entry !== 'string') return []
    const id = entry.startsWith('Patient/') ? entry.slice('Patient/'.length) : entry
    if (!isId(id)) return []
    ids.add(id)
  }
  return [...ids]
}

export interface FhirUser {
  /** `Type/id`, relative; absent when the token names nobody, or somebody elsewhere. */
  readonly reference?: string
  /** The claim is there but cannot be read here, and may well name a patient; `user/` scopes must then count for nothing. */
  readonly unreadable: boolean
}

/** Relative, or absolute under one of `bases`. A user who is plainly no patient, but at another server, is only left unnamed. */
export function readFhirUser(claim: unknown, bases: readonly string[]): FhirUser {
  if (claim === undefined || claim === '') return { unreadable: false }
  if (typeof claim !== 'string') return { unreadable: true }
  const base = bases.find((it) => claim.startsWith(withSlash(it)))
  const reference = base === undefined ? claim : claim.slice(withSlash(base).length)
  const id = REFERENCE.exec(reference)?.[2]
  return id !== undefined && isId(id)
    ? { reference, unreadable: false }
    : { unreadable: !NO_PATIENT_ELSEWHERE.test(claim) }
}

// Both match the id syntax and would change a path (spec §2.1).
function isId(text: string): boolean {
  return ID.test(text) && text !== '.' && text !== '..'
}

function withSlash(base: string): string {
  return base.endsWith('/') ? base : `${base}/`
}
