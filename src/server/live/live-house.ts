// What a configuration says of what stays open: until when a grant is good, which pages may open something, who is told.

import type { TLSSocket } from 'node:tls'
import type { Settings } from '../../config/settings.ts'
import type { KeyStore } from '../../credentials/api-keys/key-store.ts'
import type { Authenticator } from '../../credentials/authenticate.ts'
import type { CredentialRequest } from '../../credentials/credential-request.ts'
import type { Grant } from '../../domain/grant.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Lasting } from '../generations/lasting.ts'
import { watchCredential } from './credential-watch.ts'
import type { LiveConnections } from './live-connections.ts'
import { ownOrigins } from './own-origins.ts'
import type { WebSocketPlaces } from './web-socket-places.ts'

export interface LiveHouse {
  readonly settings: Settings
  readonly connections: LiveConnections
  readonly places: WebSocketPlaces
  /**
   * To be called each second: false once a grant counts for nothing, because it expired, was revoked, or its issuer no longer stands by it;
   * and once the connection's client certificate is believed no more. What is open to everyone has no grant.
   */
  watch(grant: Grant | undefined, request: CredentialRequest, endpoint: Pick<Endpoint, 'route'>): () => boolean
  /** Whether pages of this origin may open a WebSocket. */
  isOwnOrigin(origin: string): boolean
  /** A WebSocket was opened; returns what is to be called at its end. */
  onWebSocket(route: string): () => void
}

export function createLiveHouse(
  settings: Settings,
  { live, webSocketPlaces, revocations, now, hear }: Lasting,
  keyStore: Pick<KeyStore, 'counts'> | undefined,
  { identify }: Pick<Authenticator, 'identify'>,
): LiveHouse {
  const isGood = (grant: Grant): boolean => {
    if (now() >= grant.expiresAt * 1000) return false
    if (grant.kind !== 'bearer') return keyStore?.counts(grant, now()) === true
    return revocations.find(grant) === undefined
  }
  return {
    settings,
    connections: live,
    places: webSocketPlaces,
    watch: (grant, request, { route }) => {
      const isCertified = watchCertificate(request)
      if (grant === undefined) return isCertified
      if (grant.kind !== 'bearer') return () => isCertified() && isGood(grant)
      const stands = watchCredential(grant, () => identify(request, route), now)
      return () => isCertified() && isGood(grant) && stands()
    },
    isOwnOrigin: ownOrigins(settings),
    onWebSocket: hear.onWebSocket,
  }
}

/** A connection that a client certificate let in is told when its CA is no longer believed (`certified-connections.ts`). */
function watchCertificate({ socket }: CredentialRequest): () => boolean {
  const certified = socket as Partial<TLSSocket> | undefined
  return certified?.authorized === true ? () => certified.authorized === true : () => true
}
