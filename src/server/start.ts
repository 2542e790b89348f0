// A running gateway of one process: the public port with everything behind it, and the admin port beside it. With workers, that is
// `primary.ts`.

import { describeError } from '../observability/described-error.ts'
import { startAdmin } from './admin/admin.ts'
import { revocationPlaces } from './admin/revocation-place.ts'
import { type LoadRouteMap, type ReloadCause, type Reloaded, Reloader } from './generations/reloader.ts'
import { type ServingOptions, startServing, urlOf } from './generations/serving.ts'
import { checkTls, openAdminTls } from './port/open-tls.ts'

export interface StartOptions extends ServingOptions {
  /** Reads the route map anew; left out where it cannot be reloaded. */
  readonly load?: LoadRouteMap
}

export interface Running {
  /** What clients call, and where the admin port listens. */
  readonly url: string
  readonly adminUrl: string
  /** All or nothing: with problems, the route map in force stays. */
  reload(cause: ReloadCause): Promise<Reloaded>
  /** Not ready any more, for the grace still accepting; then it stops accepting and ends as `timeouts.drain` says. */
  close(options?: { readonly grace?: boolean }): Promise<void>
}

export async function start(options: StartOptions): Promise<Running> {
  const { settings, log } = options
  await checkTls(settings.server)
  const serving = await startServing(options)
  const { metrics, generations } = serving
  const reloader = new Reloader({
    ...(options.load && { load: options.load }),
    inForce: () => generations.current!.composed.settings,
    apply: async ({ settings: next }, number) => generations.apply(await generations.prepare(next, number)),
    log,
    metrics,
  })
  try {
    const adminTls = await openAdminTls(settings.server, { log, metrics })
    const admin = await startAdmin({
      settings: settings.server.admin,
      tls: adminTls,
      metrics,
      isReady: () => serving.isReady,
      generation: () => reloader.generation,
      explain: serving.explain,
      onError: (error) => log.logger.error({ err: describeError(error) }, 'the admin port failed on a request'),
      keys: serving.keys,
      places: revocationPlaces({
        revocations: serving.lasting.revocations,
        file: () => generations.current?.revocationFile,
        issuers: () => generations.current!.composed.settings.issuers.map(({ issuer }) => issuer),
        now: serving.lasting.now,
      }),
      reload: () => reloader.reload('request'),
    })
    return {
      url: serving.url,
      adminUrl: urlOf(settings.server.admin.listen, admin.address.port, adminTls !== undefined),
      reload: (cause) => reloader.reload(cause),
      close: async ({ grace = false } = {}) => {
        const { timeouts } = generations.current!.composed.settings.server
        const reloaded = reloader.close(timeouts.drain)
        await serving.beginDraining(grace ? timeouts.grace : 0)
        await serving.close()
        await reloaded
        // The admin port goes last: while the public one drains, it says that this instance is no longer ready.
        await admin.close(0)
      },
    }
  } catch (error) {
    await serving.close()
    throw error
  }
}
