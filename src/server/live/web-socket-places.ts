// How many WebSockets are open, of each route and of each client: they have places of their own, so that they take none from requests.

import type { Grant } from '../../domain/grant.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { networkOf } from '../port/client-network.ts'

export interface PlaceLimits {
  readonly connections: number
  readonly perClient: number
}

const ALL_TAKEN = refuse('overloaded', 'Too many WebSockets are open on this route. Try again in a moment.', {
  retryAfter: 5,
})
const CLIENT_HAS_ENOUGH = refuse('rate-limited', 'You have too many WebSockets open on this route. Close one first.', {
  retryAfter: 5,
})

export class WebSocketPlaces {
  readonly #taken = new Map<string, number>()

  /** How to give the place back, or a refusal. `address` tells clients apart where no credential does. */
  take(route: string, limits: PlaceLimits, grant: Grant | undefined, address: string): (() => void) | Refusal {
    const client = JSON.stringify([route, ...whose(grant, address)])
    if (this.count(route) >= limits.connections) return ALL_TAKEN
    if (this.count(client) >= limits.perClient) return CLIENT_HAS_ENOUGH
    for (const name of [route, client]) this.#taken.set(name, this.count(name) + 1)
    let given = false
    return () => {
      if (given) return
      given = true
      for (const name of [route, client]) this.#giveBack(name)
    }
  }

  count(name: string): number {
    return this.#taken.get(name) ?? 0
  }

  #giveBack(name: string): void {
    const left = this.count(name) - 1
    if (left > 0) this.#taken.set(name, left)
    else this.#taken.delete(name)
  }
}

function whose(grant: Grant | undefined, address: string): readonly (string | null)[] {
  if (grant === undefined) return ['network', networkOf(address)]
  const { kind, issuerUrl, client, subject } = grant
  const [name, value] = client === undefined ? ['subject', subject] : ['client', client]
  return [kind === 'bearer' ? 'token' : 'key', issuerUrl ?? null, name, value ?? null]
}
