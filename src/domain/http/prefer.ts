// `Prefer: respond-async` (RFC 7240 §4.1, R4 async): the answer would lie later at a place of the server's own choosing, past every check
// and under an address that no client of ours can reach (spec §2.7). Only a bulk export, whose places are sealed, is answered so.

/** One field value without that preference; undefined when nothing else is asked for. */
export function withoutAsync(prefer: string): string | undefined {
  if (!/respond-async/i.test(prefer)) return prefer
  const kept = prefer.split(',').filter((preference) => !/^\s*respond-async\s*(?:[;=]|$)/i.test(preference))
  return kept.length === 0 ? undefined : kept.join(',').trim()
}
