// What a configuration says of what stays open: until when a grant is good, which pages may open something, who is told.

import type { Settings } from '../config/settings.ts'
import type { KeyStore } from '../credentials/api-keys/key-store.ts'
import type { Grant } from '../domain/grant.ts'
import type { Lasting } from './lasting.ts'
import type { LiveConnections } from './live-connections.ts'
import { ownOrigins } from './own-origins.ts'
import type { WebSocketPlaces } from './web-socket-places.ts'

export interface LiveHouse {
  readonly settings: Settings
  readonly connections: LiveConnections
  readonly places: WebSocketPlaces
  /** False once a grant counts for nothing: expired, or revoked. What is open to everyone has none. */
  isGood(grant: Grant | undefined): boolean
  /** Whether pages of this origin may open a WebSocket. */
  isOwnOrigin(origin: string): boolean
  /** A WebSocket was opened; returns what is to be called at its end. */
  onWebSocket(route: string): () => void
}

export function createLiveHouse(
  settings: Settings,
  { live, webSocketPlaces, revocations, now, hear }: Lasting,
  keyStore: Pick<KeyStore, 'counts'> | undefined,
): LiveHouse {
  return {
    settings,
    connections: live,
    places: webSocketPlaces,
    isGood: (grant) => {
      if (grant === undefined) return true
      if (now() >= grant.expiresAt * 1000) return false
      if (grant.kind !== 'bearer') return keyStore?.counts(grant.tokenId, now()) === true
      return revocations.find(grant) === undefined
    },
    isOwnOrigin: ownOrigins(settings),
    onWebSocket: hear.onWebSocket,
  }
}
