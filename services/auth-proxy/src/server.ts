import { setTimeout as delay } from 'node:timers/promises'
import { createApp } from './app.ts'
import { createLogger } from './logs.ts'
import { openSessionStore } from './session-store.ts'
import { readSettings, type Settings, SettingsError, withSecrets } from './settings.ts'
import { startTracing } from './tracing.ts'

const STOP_WITHIN_MS = 20_000

const settings = settingsOrExit()
const logger = await createLogger(settings)
const tracing = settings.otlpEndpoint ? await startTracing(settings.otlpEndpoint) : undefined
const store = openSessionStore(settings.valkeyUrl, logger)
const app = createApp({ settings, store, logger, tracer: tracing?.tracer })

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
await listenOrExit()

function settingsOrExit(): Settings {
  try {
    return readSettings(withSecrets(process.env))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(error.message)
    process.exit(2)
  }
}

async function listenOrExit(): Promise<void> {
  const { host, port } = settings
  try {
    await app.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    logger.fatal(`port ${port} of ${host} is in use; stop its owner or set PORT`)
    process.exit(2)
  }
}

/** Stops in order: say that we go, let requests finish, end live streams, flush traces. */
async function stop(signal: string): Promise<void> {
  logger.info({ signal }, 'stopping')
  app.announceStop()
  setTimeout(() => {
    logger.error('requests were still running at the end of the drain')
    process.exit(1)
  }, settings.drainMs + STOP_WITHIN_MS).unref()
  await delay(settings.drainMs)
  await app.close()
  await tracing?.stop()
  logger.info('stopped')
  process.exit(0)
}
