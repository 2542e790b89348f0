// What scopes open, as tables: one for each FHIR route, a list for everything else, and the scopes that grant nothing with the reason.

import { LETTERS, type MatrixCell, type MatrixRow, type RouteMatrix } from '../../../domain/reference/access-matrix.ts'
import { endpointList } from './endpoint-list.ts'
import { type Html, html, type Part } from './html.ts'
import type { Answered } from './matrix-page.ts'

const WORDS: Readonly<Record<string, string>> = { c: 'create', r: 'read', u: 'update', d: 'delete', s: 'search' }
/** As many types are named in a row; more are counted, with one that readers know, and folded away. */
const NAMED = 2
const WELL_KNOWN = ['Condition', 'Observation', 'Patient', 'Practitioner', 'ValueSet', 'Medication', 'Appointment']

export function matrixResult({ matrix, mended }: Answered, everyType: boolean): Html {
  const { routes, endpoints, silent } = matrix
  const empty = routes.length === 0 && endpoints.length === 0
  return html`${silent.length > 0 && silentList(silent)}
${mended.length > 0 && mendedList(mended)}
${empty && html`<p class="none">Nothing is opened.</p>`}
${routes.map((route) => routeTable(route, everyType))}
${routes.length > 0 && KEY}
${
  endpoints.length > 0 &&
  html`<section class="others"><h3>${routes.length > 0 ? 'Operations and other endpoints' : 'Endpoints'}</h3>${endpointList(endpoints)}</section>`
}`
}

function routeTable({ path, version, rows }: RouteMatrix, everyType: boolean): Html {
  const shown = everyType
    ? rows.flatMap(({ types, cells }) => types.map((type) => ({ types: [type], cells }))).sort(byType)
    : rows
  return html`<table class="access"><caption><code>${path}</code> <span class="about">FHIR ${version}</span></caption>
<thead><tr><th scope="col">Resource type</th>${LETTERS.map((letter) => html`<th scope="col"><abbr title="${WORDS[letter]!}">${letter}</abbr><span class="word">${WORDS[letter]!}</span></th>`)}</tr></thead>
<tbody>${shown.map(rowOf)}</tbody></table>
`
}

function byType(a: MatrixRow, b: MatrixRow): number {
  return a.types[0]! < b.types[0]! ? -1 : 1
}

function rowOf({ types, cells }: MatrixRow): Html {
  return html`<tr><th scope="row">${typesOf(types)}</th>${cells.map(cellOf)}</tr>`
}

function typesOf(types: readonly string[]): Part {
  if (types.length <= NAMED) return types.join(', ')
  const example = WELL_KNOWN.find((type) => types.includes(type)) ?? types[0]!
  return html`<details><summary>${types.length} types<span class="about">, such as ${example}</span></summary><p class="types">${types.join(', ')}</p></details>`
}

function cellOf({ access, limits, only }: MatrixCell): Html {
  const remarks = [...limits, ...(only === undefined ? [] : [only === 'bundle' ? 'in Bundle' : 'not in Bundle'])]
  return html`<td>${MARKS[access]}<span class="unseen">${access}</span>${remarks.length > 0 && html`<span class="remark">${remarks.join(', ')}</span>`}</td>`
}

const MARKS: Readonly<Record<MatrixCell['access'], Html>> = {
  full: html`<svg class="mark" aria-hidden="true" viewBox="0 0 16 16"><circle class="fill" cx="8" cy="8" r="6"/></svg>`,
  limited: html`<svg class="mark" aria-hidden="true" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5"/><path class="fill" d="M8 2.5a5.5 5.5 0 0 0 0 11z"/></svg>`,
  none: html`<svg class="mark nothing" aria-hidden="true" viewBox="0 0 16 16"><path d="M6 8h4"/></svg>`,
}

const KEY: Html = html`<dl class="key"><div><dt>${MARKS.full}</dt><dd>every resource of the type; under <code>user/</code> scopes, all that the FHIR server shows that user</dd></div><div><dt>${MARKS.limited}</dt><dd>a part: <b>patient</b>, the record of the launch patient; <b>filter</b>, what the scope’s filter lets through</dd></div><div><dt>${MARKS.none}</dt><dd>nothing</dd></div></dl>`

function silentList(silent: Answered['matrix']['silent']): Html {
  return html`<section class="silent"><h3>Grants nothing</h3><dl>${silent.map(({ scope, reason }) => html`<div><dt><code>${scope}</code></dt><dd>${reason}</dd></div>`)}</dl></section>`
}

function mendedList(mended: Answered['mended']): Html {
  return html`<section class="mended"><h3>Known misprints, read as meant</h3><dl>${mended.map(([written, meant]) => html`<div><dt><code>${written}</code></dt><dd><code>${meant}</code></dd></div>`)}</dl></section>`
}
