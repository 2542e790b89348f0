// One scope on the page: its name, what it grants, where, and by which credential.

import type { DescribedScope } from '../../../domain/reference/scope-reference.ts'
import { KIND_NAMES } from './credential-kinds.ts'
import { endpointList } from './endpoint-list.ts'
import { type Html, html, type Part } from './html.ts'

export function scopeCard(scope: DescribedScope): Html {
  const { name, description, products, credentials, selfService } = scope
  return html`<article class="scope" id="${name}">
<div class="head"><h3><a class="name" href="${fragment(name)}">${breakable(name)}</a></h3>${selfService && html`<span class="pill">Self-service</span>`}<button type="button" class="copy needs-script" data-copy="${name}" aria-label="Copy ${name}">Copy</button></div>
<p class="grants">${description}</p>
${worthOf(scope)}
${scope.endpoints.length > 0 ? endpointList(scope.endpoints) : html`<p class="none">Opens no endpoint by itself.</p>`}
<dl class="facts">
<div><dt>Carried by</dt><dd><ul class="kinds">${credentials.map((kind) => html`<li class="${kind}">${KIND_NAMES[kind]}</li>`)}</ul></dd></div>
${products.length > 0 && html`<div><dt>Products</dt><dd class="products">${products.join(', ')}</dd></div>`}
</dl>
</article>
`
}

/** The link to an element with that id. */
export function fragment(id: string): string {
  return `#${encodeURIComponent(id).replaceAll('%2F', '/').replaceAll('%3A', ':')}`
}

/** The name with places where a narrow column may break it; copying the text gives the name alone. */
function breakable(name: string): Part {
  return name.split(/(?<=[./])/).map((piece, index) => [index > 0 && html`<wbr>`, piece])
}

function worthOf({ name, meaning, worth }: DescribedScope): Part {
  const spelled = meaning !== undefined && meaning !== name && html`In letters <code>${meaning}</code>.`
  const worths = worth.map(
    ({ path, scope, via }) => html` Counts as <code>${scope}</code> on <code>${path}</code>${doors(via)}.`,
  )
  if (meaning === undefined && worths.length === 0) return undefined
  return html`<p class="worth">${spelled}${worths} <a href="matrix#scope=${encodeURIComponent(name)}">By resource type</a></p>`
}

function doors(via: readonly string[]): string {
  const [only, ...others] = via
  if (others.length > 0) return ''
  return only === 'bundle' ? ', inside Bundles only' : only === 'rest' ? ', outside Bundles only' : ''
}
