// How many places each client holds: three quarters of them at most, so that whoever sends or reads as slowly as it may holds up
// itself and not everybody else. Where no client is named nothing is counted.

const SHARE = 0.75

export class FairShare {
  readonly #most: number
  readonly #held = new Map<string, number>()

  /** `most` places for one client; without it its share of `all`. */
  constructor(all: number, most = Math.ceil(all * SHARE)) {
    this.#most = most
  }

  isUsedUpBy(client: string | undefined): boolean {
    return client !== undefined && (this.#held.get(client) ?? 0) >= this.#most
  }

  take(client: string | undefined): void {
    if (client !== undefined) this.#held.set(client, (this.#held.get(client) ?? 0) + 1)
  }

  giveBack(client: string | undefined): void {
    if (client === undefined) return
    const left = (this.#held.get(client) ?? 0) - 1
    if (left > 0) this.#held.set(client, left)
    else this.#held.delete(client)
  }
}
