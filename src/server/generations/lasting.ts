// What is made once for each process and outlives every generation of the route map: keys of issuers and their cooldowns, revocations,
// the secrets of seals, and the keeper of the parts that go on while their settings stay the same. What a generation remembers of decisions and
// verified tokens is not here, so that it goes with the generation.

import { createKeySets, type KeySets, type KeySetsOptions } from '../../credentials/jwks.ts'
import { Revocations } from '../../credentials/revocations.ts'
import { SignatureWork } from '../../credentials/signature-work.ts'
import type { TargetNews } from '../../proxy/upstream.ts'
import { InProcessState } from '../../state/in-process.ts'
import type { SharedState } from '../../state/shared-state.ts'
import { createSeals, type Seals } from '../fhir/seals.ts'
import { LiveConnections } from '../live/live-connections.ts'
import { WebSocketPlaces } from '../live/web-socket-places.ts'
import { Keeper } from './keeper.ts'

export interface Hearers {
  /** A WebSocket was opened; returns what is to be called at its end. */
  readonly onWebSocket: (route: string) => () => void
  readonly onCacheLookup: (cache: 'token' | 'introspection' | 'decision', result: 'hit' | 'miss') => void
  readonly onFetch: (what: string, error: unknown) => void
  readonly onGuarded: (result: 'released' | 'withheld', count: number) => void
  readonly onJwksRefresh: NonNullable<KeySetsOptions['onRefresh']>
  readonly onIntrospectionFailure: (issuer: string, problem: string) => void
  readonly onTarget: (news: TargetNews) => void
}

export interface Lasting {
  /** What stays open, across generations. */
  readonly live: LiveConnections
  readonly webSocketPlaces: WebSocketPlaces
  readonly keeper: Keeper
  readonly keySets: KeySets
  readonly revocations: Revocations
  /** One for all generations: they share the threads that verify. */
  readonly signatureWork: SignatureWork
  readonly seals: Seals
  /** Rates used up and marks that may be used once. */
  readonly state: SharedState
  readonly hear: Hearers
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** After every generation was closed. */
  close(): Promise<void>
}

export interface LastingOptions {
  readonly now?: () => number
  /** Newest first; none: page links are good for this process only. */
  readonly sealKeys?: readonly string[]
  readonly hear?: Hearers
  /** Left out: this process counts alone. */
  readonly state?: SharedState
}

const HEARS_NOTHING: Hearers = {
  onWebSocket: () => () => {},
  onCacheLookup: () => {},
  onFetch: () => {},
  onGuarded: () => {},
  onJwksRefresh: () => {},
  onIntrospectionFailure: () => {},
  onTarget: () => {},
}

export function createLasting(options: LastingOptions = {}): Lasting {
  const { now = Date.now, sealKeys = [], hear = HEARS_NOTHING, state = new InProcessState() } = options
  const keySets = createKeySets({ now, onRefresh: hear.onJwksRefresh })
  const live = new LiveConnections()
  const revocations = new Revocations(now)
  revocations.onChange(() => live.look())
  return {
    live,
    webSocketPlaces: new WebSocketPlaces(),
    keeper: new Keeper(),
    keySets,
    revocations,
    signatureWork: new SignatureWork(),
    seals: createSeals({ keys: sealKeys, now }),
    state,
    hear,
    now,
    close: () => keySets.close(),
  }
}
