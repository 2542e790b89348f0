// The gateway's own pages on the public port: the Scope Reference and the access matrix (below /scopes), made from the route map in
// force. They ask for no credential, and no route of the map can stand in their place (`config/checks/own-paths.ts`).

import type { Settings } from '../../config/settings.ts'
import type { Catalogue } from '../../domain/decision/policy.ts'
import { accessMatrix } from '../../domain/reference/access-matrix.ts'
import type { MappedRoute } from '../../domain/reference/mapped-route.ts'
import { scopeReference } from '../../domain/reference/scope-reference.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { mendMisprint } from '../../domain/smart/us-core-misprints.ts'
import type { Document } from '../../proxy/reply.ts'
import { strictly } from '../port/strict-transport.ts'
import {
  answerWith,
  answerWithoutDocument,
  OPEN_TO_EVERY_ORIGIN,
  type OpenAnswer,
  type OpenDocument,
  type OpenRequest,
  printDocument,
} from './open-document.ts'
import { readOwnPost } from './own-post.ts'
import { createPace } from './pace.ts'
import { HTML_TYPE, keptDocument, PAGE_HEADERS, pageDocument, redirectTo } from './page-document.ts'
import { readAssets } from './scope-reference/assets.ts'
import { type Answered, matrixPage } from './scope-reference/matrix-page.ts'
import {
  EMPTY_FORM,
  LARGEST_BODY,
  type MatrixForm,
  parseMatrixForm,
  parseMatrixJson,
} from './scope-reference/matrix-request.ts'
import { referencePage } from './scope-reference/reference-page.ts'

export interface OwnPages {
  /** The page at that path, if there is one. */
  find(path: string): OpenDocument | undefined
}

export interface OwnPagesSources {
  readonly settings: Settings
  readonly catalogue: Catalogue
  readonly routes: readonly MappedRoute[]
  readonly apiKeyHeader: string
}

/** Of the access matrix, which anyone may ask and which takes milliseconds each time. */
const ANSWERS_PER_SECOND = 10

export function createOwnPages({ settings, catalogue, routes, apiKeyHeader }: OwnPagesSources): OwnPages {
  const { publicUrl } = settings.server
  const mends = settings.issuers.some(({ usCoreMisprints }) => usCoreMisprints)
  const reference = once(() => scopeReference({ publicUrl, scopes: settings.scopes, routes, catalogue }))

  const pace = createPace(ANSWERS_PER_SECOND)

  function answer(form: MatrixForm): Answered | Refusal {
    const tooMany = pace()
    if (tooMany !== undefined) return tooMany
    const mended = mends && form.kind === 'bearer' ? misprintsIn(form.scopes) : []
    const meant = new Map(mended)
    const scopes = [...new Set(form.scopes.map((scope) => meant.get(scope) ?? scope))]
    return { matrix: accessMatrix({ ...form, scopes }, routes, catalogue), mended }
  }

  type Print = (form: MatrixForm, answered: Answered) => Document

  /** Answers a form with a document that nobody keeps. */
  function answerForms(type: string, parse: (body: string) => MatrixForm | Refusal, print: Print) {
    return async (request: OpenRequest): Promise<OpenAnswer> => {
      const form = await readOwnPost(request, type, LARGEST_BODY, parse)
      if (isRefusal(form)) return form
      const answered = answer(form)
      return isRefusal(answered) ? answered : print(form, answered)
    }
  }

  const printJson: Print = (_, { matrix, mended }) =>
    fleeting('application/json', `${JSON.stringify({ ...matrix, mended: Object.fromEntries(mended) })}\n`)

  const documents = new Map<string, OpenDocument>([
    ['/scopes', redirectTo('scopes/')],
    ['/scopes/', keptDocument(HTML_TYPE, () => referencePage(reference(), apiKeyHeader))],
    ['/scopes.json', jsonDocument(reference)],
    [
      '/scopes/matrix',
      pageDocument(
        () => fleeting(HTML_TYPE, matrixPage(EMPTY_FORM, undefined)),
        answerForms('application/x-www-form-urlencoded', parseMatrixForm, (form, answered) =>
          fleeting(HTML_TYPE, matrixPage(form, answered)),
        ),
      ),
    ],
    ['/scopes/matrix.json', pageDocument(undefined, answerForms('application/json', parseMatrixJson, printJson))],
    ...readAssets().map(({ name, contentType, body }): [string, OpenDocument] => [
      `/scopes/${name}`,
      keptDocument(contentType, () => body),
    ]),
  ])
  const strict = new Map([...documents].map(([path, document]) => [path, strictly(document, settings.server)]))
  return { find: (path) => strict.get(path) }
}

function fleeting(contentType: string, body: Buffer | string): Document {
  return { status: 200, contentType, body, headers: [...PAGE_HEADERS, 'cache-control', 'no-store'] }
}

/** Facts that other sites may show too. */
function jsonDocument(value: () => unknown): OpenDocument {
  const printed = once(() => printDocument(value()))
  return {
    route: 'none',
    interaction: 'discovery',
    fhir: false,
    refusalHeaders: OPEN_TO_EVERY_ORIGIN,
    answer: (request) => answerWithoutDocument(request) ?? answerWith(printed(), 'application/json', request),
  }
}

function misprintsIn(scopes: readonly string[]): readonly (readonly [string, string])[] {
  return scopes.map((scope) => [scope, mendMisprint(scope)] as const).filter(([written, meant]) => written !== meant)
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
