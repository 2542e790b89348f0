// The access matrix as a page: a form for scopes, and what they open. The form works by itself; the script sends the same form while
// one types and puts the same answer in its place.

import type { CredentialKind } from '../../../domain/grant.ts'
import type { AccessMatrix } from '../../../domain/reference/access-matrix.ts'
import { type Html, html } from './html.ts'
import { printPage } from './layout.ts'
import { CREDENTIALS, type MatrixForm } from './matrix-request.ts'
import { matrixResult } from './matrix-result.ts'

export interface Answered {
  readonly matrix: AccessMatrix
  /** Misprints of published scope tables, and what they are read as. */
  readonly mended: readonly (readonly [written: string, meant: string])[]
}

const DESCRIPTION =
  'Paste scopes and see what they open on this gateway: resource types and letters, and the endpoints of every product.'

const CREDENTIAL_NAMES: Readonly<Record<CredentialKind, string>> = {
  bearer: 'Access token',
  'api-key': 'API key',
  'service-key': 'Service key',
}

/** `answered` is undefined where nothing was asked yet. */
export function matrixPage(form: MatrixForm, answered: Answered | undefined): Buffer {
  return printPage({
    title: 'Access matrix',
    description: DESCRIPTION,
    path: 'matrix',
    script: 'matrix.js',
    search: false,
    body: html`<main id="content" class="matrix">
<h1>Access matrix</h1>
<p class="lede">${DESCRIPTION} Decided by the rules that requests are decided by. What you paste is neither kept nor logged.</p>
<div class="workbench">
${formOf(form)}
<section class="result" aria-labelledby="result-heading"><h2 id="result-heading" class="unseen">What they open</h2>
<p class="summary" id="summary" role="status">${answered === undefined ? 'Nothing asked yet.' : summaryOf(form, answered)}</p>
<div id="result">${answered === undefined ? EXPLAINED : matrixResult(answered, form.everyType)}</div>
</section>
</div>
</main>`,
  })
}

function formOf({ text, kind, patient, everyType }: MatrixForm): Html {
  return html`<form method="post" action="matrix" id="asked">
<label class="label" for="scope">Scopes, separated by spaces or lines</label>
<textarea id="scope" name="scope" rows="7" maxlength="16000" spellcheck="false" autocapitalize="off" autocomplete="off" placeholder="patient/Observation.rs cms.fhir.r4.read">
${text}</textarea>
<fieldset><legend class="label">Carried by</legend>${CREDENTIALS.map(
    (one) =>
      html`<label class="choice"><input type="radio" name="credential" value="${one}"${one === kind && html` checked`}> ${CREDENTIAL_NAMES[one]}</label>`,
  )}</fieldset>
<label class="choice"><input type="checkbox" name="patient" value="yes"${patient && html` checked`}> A launch patient is known</label>
<label class="choice"><input type="checkbox" name="every" value="yes"${everyType && html` checked`}> A row for every resource type</label>
<button type="submit" class="primary">Show access</button>
</form>`
}

export function summaryOf({ scopes }: MatrixForm, { matrix }: Answered): string {
  if (scopes.length === 0) return 'No scopes, no access.'
  const silent = matrix.silent.length
  const granting = scopes.length - silent
  const granted = `${granting} ${granting === 1 ? 'scope grants' : 'scopes grant'} access`
  return silent === 0 ? `${granted}.` : `${granted}, ${silent} ${silent === 1 ? 'grants' : 'grant'} nothing.`
}

const EXPLAINED: Html = html`<div class="explained">
<p>Five letters stand for what may be done with a type of resource.</p>
<dl class="letters"><div><dt>c</dt><dd>create</dd></div><div><dt>r</dt><dd>read one, its versions</dd></div><div><dt>u</dt><dd>update, patch</dd></div><div><dt>d</dt><dd>delete</dd></div><div><dt>s</dt><dd>search, history of a type</dd></div></dl>
</div>`
