// One scope on the page: its name, what it grants, where, and by which credential.

import type { ScopeEndpoint } from '../../domain/reference/scope-endpoints.ts'
import type { DescribedScope } from '../../domain/reference/scope-reference.ts'
import { KIND_NAMES } from './credential-kinds.ts'
import { type Html, html, type Part } from './html.ts'

export function scopeCard(scope: DescribedScope): Html {
  const { name, description, products, credentials, selfService } = scope
  return html`<article class="scope" id="${name}">
<div class="head"><h3><a class="name" href="${fragment(name)}">${breakable(name)}</a></h3><button type="button" class="copy needs-script" data-copy="${name}" aria-label="Copy ${name}">Copy</button></div>
<p class="grants">${description}</p>
${worthOf(scope)}
${endpointList(scope.endpoints)}
<dl class="facts">
<div><dt>Carried by</dt><dd><ul class="kinds">${credentials.map((kind) => html`<li class="${kind}">${KIND_NAMES[kind]}</li>`)}</ul></dd></div>
${products.length > 0 && html`<div><dt>Products</dt><dd class="products">${products.join(', ')}</dd></div>`}
${selfService && html`<div><dt>Partners</dt><dd>Self-service</dd></div>`}
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
  if (spelled === false && worths.length === 0) return undefined
  return html`<p class="worth">${spelled}${worths}</p>`
}

function doors(via: readonly string[]): string {
  const [only, ...others] = via
  if (others.length > 0) return ''
  return only === 'bundle' ? ', inside Bundles only' : only === 'rest' ? ', outside Bundles only' : ''
}

function endpointList(endpoints: readonly ScopeEndpoint[]): Html {
  if (endpoints.length === 0) return html`<p class="none">Opens no endpoint by itself.</p>`
  return html`<ul class="endpoints" aria-label="Example endpoints">${endpoints.map(endpointLine)}</ul>`
}

export function endpointLine({
  method,
  path,
  limits,
  ...rest
}: Omit<ScopeEndpoint, 'with'> & { with?: readonly string[] }): Html {
  const others = rest.with ?? []
  const remarks = [
    limits.includes('patient') && 'launch patient only',
    limits.includes('filter') && 'filtered',
    others.length > 0 && `with ${others.join(', ')}`,
  ].filter((remark) => remark !== false)
  return html`<li><span class="method ${method.toLowerCase()}">${method}</span> <code>${path.split(/(\{[^}]*\})/).map(pathPiece)}</code>${remarks.length > 0 && html` <span class="remark">${remarks.join(', ')}</span>`}</li>`
}

function pathPiece(piece: string): Part {
  if (piece.startsWith('{')) return html`<var>${piece}</var>`
  return piece.split(/(?<=\/)/).map((part, index) => [index > 0 && html`<wbr>`, part])
}
