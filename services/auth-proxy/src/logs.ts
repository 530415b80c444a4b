import { type Logger, pino, stdSerializers } from 'pino'
import type { Settings } from './settings.ts'

/** The names under which a secret could reach a log by mistake. */
const SECRETS = [
  'authorization',
  'cookie',
  'password',
  'new_password',
  'current_password',
  'token',
  'access_token',
  'refresh_token',
  'csrf_token',
]

/** One JSON object a line, or coloured text for a person at a terminal.
 *
 * Headers and bodies are never logged; the redaction is there for the day somebody does.
 */
export async function createLogger(
  settings: Pick<Settings, 'logLevel' | 'logFormat'>,
): Promise<Logger> {
  const options = {
    level: settings.logLevel,
    base: { service: 'auth-proxy' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: SECRETS.flatMap((name) => [name, `*.${name}`]),
    serializers: { err: briefError },
  }
  if (settings.logFormat === 'json') return pino(options)
  const { default: pretty } = await import('pino-pretty')
  const text = { sync: true, ignore: 'service,pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }
  return pino(options, pretty(text))
}

/** What is worth reading of an error: no properties, which may hold a request. */
function briefError(error: Error) {
  const { type, message, stack } = stdSerializers.err(error)
  const { code } = error as NodeJS.ErrnoException
  return { type, message, stack, ...(code !== undefined && { code }) }
}
