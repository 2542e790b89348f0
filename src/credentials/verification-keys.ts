// The public signature keys of one JWK Set (RFC 7517), ready to be asked for by algorithm and key id.
// INVARIANT: symmetric and private keys never get in, and a key serves only algorithms of its own type and curve.

import { type CryptoKey, importJWK, type JWK } from 'jose'

const MAXIMUM_KEYS = 100
/** For tokens without `kid` every fitting key is tried; this bounds the work that one forged token can cause. */
const MAXIMUM_CANDIDATES = 4

/** Asymmetric algorithms (RFC 7518 §3.1, RFC 8037, RFC 9864) with the key that each takes. */
const KEY_OF: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}

interface PublicKey {
  readonly jwk: JWK
  /** Equal for two keys exactly when the same tokens verify with them. */
  readonly identity: string
  readonly imported: Map<string, Promise<CryptoKey | undefined>>
}

export class VerificationKeys {
  readonly #keys: readonly PublicKey[]

  constructor(keys: readonly PublicKey[]) {
    this.#keys = keys
  }

  has(kid: string): boolean {
    return this.#keys.some(({ jwk }) => jwk.kid === kid)
  }

  /** Whether every key of `others` is still here: if not, what was verified with them may no longer count. */
  includesAllOf(others: VerificationKeys): boolean {
    const mine = new Set(this.#keys.map(({ identity }) => identity))
    return others.#keys.every(({ identity }) => mine.has(identity))
  }

  async matching(alg: string, kid: string | undefined): Promise<readonly CryptoKey[]> {
    const fitting = this.#keys.filter(({ jwk }) => fits(jwk, alg) && (kid === undefined || jwk.kid === kid))
    const imported = await Promise.all(fitting.slice(0, MAXIMUM_CANDIDATES).map((key) => importFor(key, alg)))
    return imported.filter((key) => key !== undefined)
  }
}

/** Whether a key of this type and curve may serve an algorithm. */
export function takesKey(alg: string, { kty, crv }: { readonly kty?: unknown; readonly crv?: unknown }): boolean {
  const needed = isAsymmetric(alg) ? KEY_OF[alg] : undefined
  return needed !== undefined && kty === needed.kty && (needed.crv === undefined || crv === needed.crv)
}

export function isAsymmetric(alg: string): boolean {
  return Object.hasOwn(KEY_OF, alg)
}

/** Throws when `document` is no JWK Set; single keys that do not serve are left out, as RFC 7517 §5 asks. */
export function readVerificationKeys(document: unknown): VerificationKeys {
  const entries = (document as { keys?: unknown } | null)?.keys
  if (!Array.isArray(entries)) throw new Error('it is not a JWK Set')
  if (entries.length > MAXIMUM_KEYS) throw new Error(`it holds more than ${MAXIMUM_KEYS} keys`)
  return new VerificationKeys(entries.flatMap((entry) => publicKeyOf(entry) ?? []))
}

export const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

function publicKeyOf(entry: unknown): PublicKey | undefined {
  if (typeof entry !== 'object' || entry === null || PRIVATE_MEMBERS.some((member) => member in entry)) return undefined
  const { kty, crv, n, e, x, y, kid, alg, use, key_ops } = entry as Record<string, unknown>
  if (use !== undefined && use !== 'sig') return undefined
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return undefined
  const members = Object.entries({ kty, crv, n, e, x, y, kid, alg }).filter(([, value]) => value !== undefined)
  if (kty === undefined || members.some(([, value]) => typeof value !== 'string')) return undefined
  return { jwk: Object.fromEntries(members) as JWK, identity: JSON.stringify(members), imported: new Map() }
}

function fits(jwk: JWK, alg: string): boolean {
  return takesKey(alg, jwk) && (jwk.alg === undefined || jwk.alg === alg)
}

/** A key that cannot be imported serves nothing; the others of the set are not its business. */
function importFor(key: PublicKey, alg: string): Promise<CryptoKey | undefined> {
  const known = key.imported.get(alg)
  if (known !== undefined) return known
  const imported = importJWK(key.jwk, alg).then(
    (it) => (!(it instanceof Uint8Array) && it.type === 'public' ? it : undefined),
    () => undefined,
  )
  key.imported.set(alg, imported)
  return imported
}
