// What every page has: head, bar, foot. All addresses are relative, so that the pages work below any public prefix.

import { type Html, html, type Part } from './html.ts'

export interface Page {
  readonly title: string
  readonly description: string
  readonly path: '../../scope-reference/' | 'matrix'
  /** A file of the assets. */
  readonly script: string
  readonly search: boolean
  readonly body: Part
}

const PAGES = [
  ['../../scope-reference/', 'Scopes'],
  ['matrix', 'Access matrix'],
] as const

export function printPage(page: Page): Buffer {
  const { title, description, path, script, body } = page
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${description}">
<title>${title} · scopegate</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page.css">
<script src="theme.js"></script>
<script type="module" src="${script}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="bar">
  <a class="brand" href="../../scope-reference/">scopegate</a>
  <nav aria-label="Pages">${PAGES.map(
    ([to, name]) => html`<a class="page-link" href="${to}"${to === path && html` aria-current="page"`}>${name}</a>`,
  )}</nav>
  ${page.search && SEARCH_BUTTON}
  <button type="button" class="theme needs-script" id="theme" aria-pressed="false" aria-label="Dark theme">${THEME_ICON}</button>
</header>
${body}
<footer class="foot"><p>Written from the route map that is in force. For programs: <a href="../scopes.json">scopes.json</a>.</p></footer>
</body>
</html>
`
  return Buffer.from(document.text)
}

const SEARCH_BUTTON: Html = html`<button type="button" class="search-open needs-script" id="search-open" aria-haspopup="dialog"><svg aria-hidden="true" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/></svg><span class="word">Search</span><kbd>Ctrl K</kbd></button>`

const THEME_ICON: Html = html`<svg aria-hidden="true" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path class="half" d="M8 2a6 6 0 0 1 0 12z"/></svg>`
