// A credential for each scope of the catalogue and each kind, with that scope and nothing else: those that the document gives to the
// scope, and those that it does not, whose keys stand in a key file as if somebody had written them there by hand.

import { type TestKey, testKey } from '../../credentials/api-keys/support.ts'
import type { CatalogueDemo } from './catalogue-demo.ts'
import { PATIENT } from './endpoint.ts'
import { ENDPOINTS } from './endpoints.ts'
import { CONTEXT_SCOPES, type Kind, kindsOf, SEED_SCOPES } from './seed-scopes.ts'

export interface Credential {
  /** One, or several with a space between. */
  readonly scope: string
  readonly kind: Kind
  /** Whether the document lets this kind carry the scope. */
  readonly carried: boolean
  /** A token of an app that was launched without a patient, though its scope is about one. */
  readonly lacksPatient: boolean
  /** A token that tells of a patient or a user. */
  readonly launched: boolean
  readonly headers: Readonly<Record<string, string>>
}

const KEY_KINDS = ['api-key', 'service-key'] as const
const DAY_S = 24 * 3600

type WithKey = Omit<Credential, 'headers'> & { readonly key: TestKey }

/** One of each kind for each scope (80, of which 18 count), and for scopes that cover something only together. */
export function makeKeys(): readonly WithKey[] {
  const now = Math.floor(Date.now() / 1000)
  const sets = [...SEED_SCOPES.map(({ name }) => [name]), ...TOGETHER]
  return sets.flatMap((scopes) =>
    KEY_KINDS.map((kind) => ({
      scope: scopes.join(' '),
      kind,
      carried: scopes.every((scope) => kindsOf(scope).includes(kind)),
      lacksPatient: false,
      launched: false,
      key: testKey(kind, { owner: 'the catalogue test', scopes, created: now - 60, expires: now + DAY_S }),
    })),
  )
}

const TOGETHER = ENDPOINTS.flatMap(({ together }) => (together === undefined ? [] : [together]))

export async function allCredentials(demo: CatalogueDemo, keys: readonly WithKey[]): Promise<readonly Credential[]> {
  const ofKeys = keys.map(({ key, ...rest }) => ({ ...rest, headers: { 'X-API-Key': key.secret } }))
  const ofTokens = SEED_SCOPES.flatMap(({ name }) => {
    const whole = bearer(demo, name, launchOf(name), false)
    return name.startsWith('patient/') ? [whole, bearer(demo, name, {}, true)] : [whole]
  })
  const ofSets = TOGETHER.map((scopes) => bearer(demo, scopes.join(' '), {}, false))
  return [...(await Promise.all([...ofTokens, ...ofSets])), ...ofKeys]
}

async function bearer(
  demo: CatalogueDemo,
  scope: string,
  launch: Readonly<Record<string, string>>,
  lacksPatient: boolean,
): Promise<Credential> {
  const token = await demo.token({ scope, ...launch })
  const carried = scope.split(' ').every((one) => kindsOf(one).includes('bearer'))
  const launched = Object.keys(launch).length > 0
  return { scope, kind: 'bearer', carried, lacksPatient, launched, headers: { authorization: `Bearer ${token}` } }
}

/** What the launch would tell; scopes about the launch or the user get everything that could open something. */
function launchOf(scope: string): Readonly<Record<string, string>> {
  const patient = scope.startsWith('patient/') || CONTEXT_SCOPES.includes(scope)
  const user = scope.startsWith('user/') || CONTEXT_SCOPES.includes(scope)
  return { ...(patient ? { patient: PATIENT } : {}), ...(user ? { fhirUser: 'Practitioner/1' } : {}) }
}
