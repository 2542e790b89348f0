// `scopegate serve`: a checked route map, two ports, and a clean end. On a broken map nothing is opened.

import cluster from 'node:cluster'
import type { Loaded } from '../config/load.ts'
import { printProblem } from '../config/source/problem.ts'
import { KeyFileError } from '../credentials/api-keys/key-file.ts'
import { createLog } from '../observability/logger.ts'
import { PartError } from '../server/generations/open-parts.ts'
import { NotApplied } from '../server/generations/reloader.ts'
import { boundYoungGeneration } from '../server/generations/young-generation.ts'
import { type Running, start } from '../server/start.ts'
import { startPrimary, workersOf } from '../server/workers/primary.ts'
import { runWorker } from '../server/workers/worker.ts'
import { printWarnings } from './check.ts'
import { printProblems } from './problems.ts'
import { RouteMapFile } from './route-map-file.ts'

/** Exit code: 0 after a clean drain, 1 for a bad configuration or a port that is taken. */
export async function runServe(config: string): Promise<0 | 1> {
  boundYoungGeneration()
  // Several processes write to one output: only blocks that a pipe takes whole stay apart.
  if (cluster.isWorker) return runWorker(createLog({ shared: true }))
  const file = new RouteMapFile(config, process.env)
  const loaded = file.load()
  if ('problems' in loaded) return printProblems(loaded)
  for (const line of printWarnings(loaded.warnings)) console.error(line)
  const sealKeys = readSealKeys(process.env['SCOPEGATE_SEAL_KEYS'])
  if (sealKeys.length === 0) {
    console.error(
      'warning: SCOPEGATE_SEAL_KEYS is not set: page links are good for this process only, and until it ends',
    )
  }
  let running: Running | undefined
  // From the beginning, because unheard it would end the process.
  process.on('SIGHUP', () => void running?.reload('signal'))
  try {
    running = await open(loaded, file, sealKeys)
  } catch (error) {
    console.error(describeOpening(error, loaded))
    return 1
  }
  const { reload, close } = running
  file.watch(() => reload('file'))
  console.error(`scopegate listens on ${running.url}, admin on ${running.adminUrl}`)
  const signal = await stopSignal()
  file.stop()
  // Somebody at a terminal waits; an orchestrator first has to tell its balancers.
  await close({ grace: signal === 'SIGTERM' })
  return 0
}

function open(loaded: Loaded, file: RouteMapFile, sealKeys: readonly string[]): Promise<Running> {
  const load = () => file.load()
  if (workersOf(loaded) > 1) {
    return startPrimary({
      loaded,
      load,
      source: () => ({ text: file.text, file: file.file }),
      log: createLog({ shared: true }),
      sealKeys,
    })
  }
  return start({ settings: loaded.settings, load, log: createLog(), sealKeys, processMetrics: true })
}

/** Comma-separated secrets, newest first. */
export function readSealKeys(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

/** SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  return new Promise((resolve) => {
    const stop = (received: 'SIGTERM' | 'SIGINT'): void => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))
      resolve(received)
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  })
}

/** With the route map that was to be served, what one of its keys names is told with its place. */
export function describeOpening(error: unknown, loaded?: Loaded): string {
  if (error instanceof KeyFileError) return `${error.message}\nThe key file cannot be used, so nothing was opened.`
  if (error instanceof NotApplied) return `${error.message}\nNothing was opened.`
  if (error instanceof PartError) {
    const message = loaded === undefined ? error.message : printProblem(loaded.problemAt(error.path, error.message))
    return `${message}\nNothing was opened.`
  }
  const { code, address, port } = error as { code?: string; address?: string; port?: number }
  if (code === 'EADDRINUSE') return `${address}:${port} is in use. Stop what listens there, or choose another address.`
  if (code === 'EACCES') return `${address}:${port} may not be opened by this user. Choose a port above 1023.`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
