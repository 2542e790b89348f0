// The Scope Reference: totals, the principle of least privilege, the kinds of credential, and every scope by category.

import type { ScopeReference } from '../../../domain/reference/scope-reference.ts'
import { describeKind, KIND_NAMES, KINDS } from './credential-kinds.ts'
import { type Html, html, type Part } from './html.ts'
import { printPage } from './layout.ts'
import { fragment, scopeCard } from './scope-card.ts'

const DESCRIPTION = 'Every scope of this gateway: what it opens, which credential carries it, and where to use it.'

export function referencePage(reference: ScopeReference, apiKeyHeader: string): Buffer {
  const names = reference.categories.map(({ name }) => name)
  const categories = reference.categories.map((category, index) => ({
    ...category,
    id: categoryId(category.name, index, names),
  }))
  return printPage({
    title: 'Scope Reference',
    description: DESCRIPTION,
    path: '../../scope-reference/',
    script: 'reference.js',
    search: true,
    body: html`<div class="columns">
<nav class="categories" aria-label="Categories"><ul>${categories.map(
      ({ id, name, scopes }) =>
        html`<li><a class="category-link" href="${fragment(id)}">${name} <span class="count">${scopes.length}</span></a></li>`,
    )}</ul></nav>
<main id="content">
<h1>Scope Reference</h1>
<p class="lede">${DESCRIPTION} Paths are below <code>${reference.publicUrl}</code>.</p>
${totals(reference)}
<section class="principle" aria-labelledby="principle"><h2 id="principle">Ask for the least</h2><p>${spelled(reference.principle)}</p><p><a href="matrix">See in the access matrix what a set of scopes opens</a></p></section>
${credentialKinds(reference, apiKeyHeader)}
${categories.map(
  ({
    id,
    name,
    scopes,
  }) => html`<section class="category" aria-labelledby="${id}"><h2 id="${id}" tabindex="-1">${name}</h2><div class="scopes">
${scopes.map(scopeCard)}</div></section>
`,
)}</main>
</div>
${SEARCH}
<p class="said" role="status" id="said"></p>`,
  })
}

/** Readable, and different for each: names that differ only in signs get their number besides. */
function categoryId(name: string, index: number, names: readonly string[]): string {
  const slug = slugOf(name)
  const first = names.findIndex((other) => slugOf(other) === slug) === index
  return `category:${slug}${first ? '' : `-${index + 1}`}`
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
}

function totals({ totals: { scopes, categories, smart, selfService } }: ScopeReference): Html {
  const figures: readonly (readonly [number, string])[] = [
    [scopes, 'scopes'],
    [categories, 'categories'],
    [smart, 'carried by SMART on FHIR'],
    [selfService, 'partner self-service'],
  ]
  return html`<dl class="totals">${figures.map(([figure, what]) => html`<div><dt>${what}</dt><dd>${figure}</dd></div>`)}</dl>`
}

/** Scope prefixes in the principle as code. */
function spelled(text: string): Part {
  return text
    .split(/(\b(?:patient|user|system)\/)/)
    .map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece))
}

function credentialKinds({ categories }: ScopeReference, apiKeyHeader: string): Html {
  const scopes = categories.flatMap((category) => category.scopes)
  return html`<section aria-labelledby="credentials"><h2 id="credentials">Credentials</h2><dl class="credentials">${KINDS.map(
    (kind) => {
      const carried = scopes.filter(({ credentials }) => credentials.includes(kind)).length
      return html`<div><dt><span class="kind ${kind}">${KIND_NAMES[kind]}</span> <span class="count">carries ${carried}</span></dt><dd>${describeKind(kind, apiKeyHeader)}</dd></div>`
    },
  )}</dl></section>`
}

const SEARCH: Html = html`<dialog class="search" id="search" aria-label="Search scopes">
<div class="field"><svg aria-hidden="true" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/></svg><input id="search-text" type="text" role="combobox" aria-label="Search scopes" aria-expanded="false" aria-controls="search-found" aria-autocomplete="list" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="Scope, category, product, path"><button type="button" id="search-close">Esc<span class="unseen"> closes the search</span></button></div>
<ul id="search-found" role="listbox" aria-label="Found"></ul>
<p class="hint" id="search-hint"><span class="way"><kbd>↑</kbd> <kbd>↓</kbd> choose</span> <span class="way"><kbd>Enter</kbd> go there</span> <span class="way"><kbd>Esc</kbd> close</span></p>
</dialog>`
