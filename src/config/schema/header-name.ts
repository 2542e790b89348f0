// Names of headers that the gateway sets or reads by configuration. Headers that steer a connection, a credential or a proxy are
// not for configuration to take over.
import { parsed } from './keywords.ts'

const RESERVED = new Set(
  `host connection keep-alive transfer-encoding te trailer upgrade expect content-length content-type content-encoding
  authorization proxy-authorization proxy-authenticate proxy-connection cookie set-cookie forwarded x-forwarded-for x-forwarded-host
  x-forwarded-proto x-request-id accept accept-encoding if-match if-none-match if-none-exist prefer range`.split(/\s+/),
)

export const headerName = (description: string) =>
  parsed(
    (text) => (/^[A-Za-z0-9-]+$/.test(text) && !RESERVED.has(text.toLowerCase()) ? text : undefined),
    description,
    {
      pattern: '^[A-Za-z0-9-]+$',
      '~expected': 'a header name of letters, digits and hyphens that has no meaning of its own in HTTP',
    },
  )
