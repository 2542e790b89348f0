// From the text of routes.yaml to Settings, or to everything that is wrong with it in one go. Nothing is opened or fetched here.
import { checkCatalogue } from './checks/catalogue.ts'
import type { Draft } from './checks/draft.ts'
import { checkFhirRoutes } from './checks/fhir-routes.ts'
import { checkIssuers } from './checks/issuers.ts'
import { checkNames } from './checks/names.ts'
import { checkOverlaps } from './checks/overlaps.ts'
import { checkOwnPaths } from './checks/own-paths.ts'
import { checkRoutes } from './checks/routes.ts'
import { checkServer } from './checks/server.ts'
import { checkUpstreams } from './checks/upstreams.ts'
import { decode } from './schema/decode.ts'
import { RouteMap } from './schema/route-map.ts'
import { type Settings, settingsOf } from './settings.ts'
import { readDocument, type SourceDocument } from './source/document.ts'
import type { Environment } from './source/environment.ts'
import { type Problem, type Report, sortProblems } from './source/problem.ts'
import { soundPart } from './source/validate.ts'
import { checkUnbuilt } from './unbuilt.ts'

export interface Loaded {
  readonly settings: Settings
  readonly warnings: readonly Problem[]
  /** The route map as written, the environment put in, and how each value from there is written. */
  readonly written: unknown
  readonly writtenAt: SourceDocument['writtenAt']
  /** For what shows only when the settings are put to use. */
  readonly problemAt: SourceDocument['problemAt']
}

export interface Failed {
  /** At least one; sorted by place. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** `file` is what problems call the text; files that the map names lie beside it. */
export function loadRouteMap(text: string, { file, env }: { file: string; env: Environment }): Loaded | Failed {
  const document = readDocument(text, file, env)
  const problems = [...document.problems]
  const warnings: Problem[] = []
  if (document.value === undefined) return { problems: sortProblems(problems), warnings }
  const into =
    (list: Problem[]): Report =>
    (path, message, part) =>
      void list.push(document.problemAt(path, message, part))
  const [report, warn] = [into(problems), into(warnings)]
  const sound = soundPart(RouteMap, document.value, { report, writtenAt: document.writtenAt })
  checkAll((sound ?? {}) as Draft, report, warn)
  if (problems.length > 0) return { problems: sortProblems(problems), warnings: sortProblems(warnings) }
  return {
    settings: settingsOf(decode(RouteMap, sound), file),
    warnings: sortProblems(warnings),
    written: sound,
    writtenAt: document.writtenAt,
    problemAt: document.problemAt,
  }
}

function checkAll(map: Draft, report: Report, warn: Report): void {
  checkServer(map, report, warn)
  checkIssuers(map, report, warn)
  checkUpstreams(map, report)
  checkCatalogue(map, report, warn)
  checkNames(map, report)
  checkRoutes(map, report)
  checkFhirRoutes(map, report, warn)
  checkOverlaps(map, report)
  checkOwnPaths(map, report)
  checkUnbuilt(map, report, warn)
}
