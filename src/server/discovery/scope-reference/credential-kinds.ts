// The kinds of credential in words.

import type { CatalogueScope } from '../../../config/schema/scope-catalogue.ts'
import { type Html, html } from './html.ts'

export type Kind = CatalogueScope['credentials'][number]

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  'api-key': 'API key',
  'service-key': 'Service key',
  oauth2: 'OAuth 2.0',
  smart: 'SMART on FHIR',
}

export const KINDS: readonly Kind[] = ['api-key', 'service-key', 'oauth2', 'smart']

export function describeKind(kind: Kind, apiKeyHeader: string): Html {
  switch (kind) {
    case 'api-key':
      return html`A secret of one partner or program, sent as <code>${apiKeyHeader}</code>. Carries product scopes only.`
    case 'service-key':
      return html`A secret of one internal service, sent as <code>${apiKeyHeader}</code>, for the few calls that people should not make.`
    case 'oauth2':
      return html`An access token of a trusted issuer, sent as <code>Authorization: Bearer</code>, with product scopes.`
    case 'smart':
      return html`An access token with SMART scopes; it may name a launch patient or a user. Sent as <code>Authorization: Bearer</code>.`
  }
}
