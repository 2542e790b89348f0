// The origins whose pages may open a WebSocket here: the gateway's own and those of `cors.origins`. Browsers ask nobody before they do,
// and send cookies and certificates along, so it is the server's to refuse (RFC 6455 §10.2). Programs send no Origin.

import type { Settings } from '../../config/settings.ts'

export function ownOrigins({ server, cors }: Settings): (origin: string) => boolean {
  const origins = new Set([server.publicUrl, ...(cors?.origins ?? [])].map(originOf))
  // What no page can name, such as `null` of a sandboxed one, is in no list.
  return (origin) => origins.has('*') || origins.has(originOf(origin))
}

/** As browsers write it: lower case, without a port that the scheme implies, without a path. */
function originOf(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : text
}
