import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import * as v from 'valibot'
import { mistakeIn } from './valkey.ts'

/** Good enough to try Runbench on one machine; production refuses it. */
export const DEVELOPMENT_SECRET = 'runbench-development-session-secret-not-for-production'

const FOURTEEN_DAYS = 14 * 24 * 3600
const THIRTY_DAYS = 30 * 24 * 3600

const choice = <const Options extends readonly string[]>(
  options: Options,
  preset: Options[number],
) => v.optional(v.picklist(options), preset)
const amount = (preset: number, least: number, most = Number.MAX_SAFE_INTEGER) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d+(\.\d+)?$/, 'is not a number'),
      v.transform(Number),
      v.minValue(least, `is below ${least}`),
      v.maxValue(most, `is above ${most}`),
    ),
    String(preset),
  )
const whole = (preset: number, least: number, most?: number) =>
  v.pipe(amount(preset, least, most), v.integer('is not a whole number'))
const text = (preset: string) => v.optional(v.string(), preset)

/** Every environment variable that this service reads; `.env.example` says what each one is for. */
export const Environment = v.object({
  RUNBENCH_ENV: choice(['dev', 'production'], 'dev'),
  HOST: text('127.0.0.1'),
  PORT: whole(8080, 0, 65535),
  PUBLIC_ORIGIN: text(''),
  CORS_ORIGINS: text(''),
  ALLOWED_HOSTS: text(''),
  TRUSTED_PROXIES: text(''),
  AUTH_URL: text('http://127.0.0.1:8000'),
  TARGET_EXPERIMENT_URL: text('http://127.0.0.1:8000'),
  TELEMETRY_BROKER_URL: text('redis://127.0.0.1:6379'),
  SESSION_SECRET: text(DEVELOPMENT_SECRET),
  SESSION_IDLE_TTL_SEC: whole(FOURTEEN_DAYS, 1),
  SESSION_MAX_TTL_SEC: whole(THIRTY_DAYS, 1),
  UPSTREAM_TIMEOUT_SEC: amount(30, 0.05),
  CLIENT_STALL_SEC: amount(10, 0.05),
  BODY_LIMIT_BYTES: whole(16 * 1024 * 1024, 1024),
  MAX_IN_FLIGHT: whole(256, 1),
  MAX_STREAMS: whole(2000, 1),
  DRAIN_SEC: amount(0, 0),
  LOG_LEVEL: choice(['trace', 'debug', 'info', 'warning', 'error'], 'info'),
  LOG_FORMAT: choice(['json', 'console'], 'json'),
  OTEL_EXPORTER_OTLP_ENDPOINT: text(''),
})
type Environment = v.InferOutput<typeof Environment>

export type Settings = Readonly<{
  production: boolean
  host: string
  port: number
  publicOrigin: string
  /** Exact origins whose pages may call with credentials; the public origin is one of them. */
  origins: readonly string[]
  /** Values of the Host header that are answered, lower case, with the port where it is not the default. */
  hosts: ReadonlySet<string>
  trustedProxies: readonly string[]
  authUrl: string
  gatewayUrl: string
  valkeyUrl: string
  /** New first; the others still open what they once sealed. */
  secrets: readonly [string, ...string[]]
  secureCookie: boolean
  idleSeconds: number
  maxSeconds: number
  upstreamTimeoutMs: number
  stallMs: number
  bodyLimit: number
  maxInFlight: number
  maxStreams: number
  drainMs: number
  logLevel: string
  logFormat: 'json' | 'console'
  otlpEndpoint: string | undefined
}>

/** The environment does not describe a service that could run; the message names every mistake. */
export class SettingsError extends Error {
  constructor(mistakes: readonly string[]) {
    super(`The settings cannot be used:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`)
    this.name = 'SettingsError'
  }
}

/** Reads the settings from environment variables; an empty variable counts as not set.
 *
 * Throws SettingsError with all mistakes at once.
 */
export function readSettings(variables: NodeJS.ProcessEnv = process.env): Settings {
  const environment = readEnvironment(variables)
  const mistakes: string[] = []
  const production = environment.RUNBENCH_ENV === 'production'
  const publicOrigin = originOf(
    'PUBLIC_ORIGIN',
    environment.PUBLIC_ORIGIN || 'http://localhost:3000',
    mistakes,
  )
  const origins = [
    publicOrigin,
    ...listOf(environment.CORS_ORIGINS).map((text) => originOf('CORS_ORIGINS', text, mistakes)),
  ]
  const secrets = listOf(environment.SESSION_SECRET)
  const settings: Settings = {
    production,
    host: environment.HOST,
    port: environment.PORT,
    publicOrigin,
    origins: [...new Set(origins)],
    hosts: new Set([
      ...origins.map(hostOf),
      ...listOf(environment.ALLOWED_HOSTS).map((host) => host.toLowerCase()),
    ]),
    trustedProxies: listOf(environment.TRUSTED_PROXIES),
    authUrl: originOf('AUTH_URL', environment.AUTH_URL, mistakes),
    gatewayUrl: originOf('TARGET_EXPERIMENT_URL', environment.TARGET_EXPERIMENT_URL, mistakes),
    valkeyUrl: environment.TELEMETRY_BROKER_URL.replace(/^valkey(s?)([+:])/, 'redis$1$2'),
    secrets: [secrets[0] ?? '', ...secrets.slice(1)],
    secureCookie: publicOrigin.startsWith('https:'),
    idleSeconds: environment.SESSION_IDLE_TTL_SEC,
    maxSeconds: environment.SESSION_MAX_TTL_SEC,
    upstreamTimeoutMs: environment.UPSTREAM_TIMEOUT_SEC * 1000,
    stallMs: environment.CLIENT_STALL_SEC * 1000,
    bodyLimit: environment.BODY_LIMIT_BYTES,
    maxInFlight: environment.MAX_IN_FLIGHT,
    maxStreams: environment.MAX_STREAMS,
    drainMs: environment.DRAIN_SEC * 1000,
    logLevel: environment.LOG_LEVEL === 'warning' ? 'warn' : environment.LOG_LEVEL,
    logFormat: environment.LOG_FORMAT,
    otlpEndpoint: environment.OTEL_EXPORTER_OTLP_ENDPOINT || undefined,
  }
  mistakes.push(...mistakesIn(settings, environment))
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return settings
}

/** The environment, with what it leaves out taken from files below `RUNBENCH_SECRETS_DIR`.
 *
 * One file a variable, named like it in lower case; /run/secrets is where container engines put
 * secrets, which an environment would show to whoever may inspect it.
 */
export function withSecrets(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folder = variables.RUNBENCH_SECRETS_DIR || '/run/secrets'
  const kept = Object.keys(Environment.entries).flatMap((name) => {
    try {
      return [[name, readFileSync(join(folder, name.toLowerCase()), 'utf8').trim()]]
    } catch {
      return []
    }
  })
  const given = Object.entries(variables).filter(([, value]) => value)
  return Object.fromEntries([...kept, ...given])
}

function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const given = Object.fromEntries(
    Object.keys(Environment.entries).flatMap((name) => {
      const value = variables[name]?.trim()
      return value ? [[name, value]] : []
    }),
  )
  const read = v.safeParse(Environment, given)
  if (read.success) return read.output
  throw new SettingsError(read.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`))
}

function* mistakesIn(settings: Settings, environment: Environment): Generator<string> {
  for (const secret of settings.secrets) {
    if (Buffer.byteLength(secret) < 32) {
      yield 'SESSION_SECRET is shorter than 32 bytes; make one with: openssl rand -base64 48'
    }
    if (settings.production && (secret === DEVELOPMENT_SECRET || new Set(secret).size < 10)) {
      yield 'SESSION_SECRET is the default or guessable, which production refuses; make one with: openssl rand -base64 48'
    }
  }
  if (settings.production && !environment.PUBLIC_ORIGIN) {
    yield 'PUBLIC_ORIGIN is missing; production needs the origin that people open, as https://runbench.example.org'
  }
  if (!settings.secureCookie && settings.production && !isLoopback(hostOf(settings.publicOrigin))) {
    yield 'PUBLIC_ORIGIN has to be https: browsers refuse the session cookie elsewhere than on localhost'
  }
  for (const proxy of settings.trustedProxies) {
    const [address = '', bits, ...rest] = proxy.split('/')
    const most = isIP(address) === 4 ? 32 : 128
    const width = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : 0
    if (!isIP(address) || rest.length > 0 || width < 1 || width > most) {
      yield `TRUSTED_PROXIES: "${proxy}" is not an address or a network such as 10.0.0.0/8`
    }
  }
  for (const origin of settings.origins) {
    if (origin.includes('*')) yield 'CORS_ORIGINS takes exact origins, no pattern'
  }
  const unusable = mistakeIn(settings.valkeyUrl)
  if (unusable) yield `TELEMETRY_BROKER_URL ${unusable}`
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}

function originOf(name: string, text: string, mistakes: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const bare = url && url.pathname === '/' && !url.search && !url.hash && !url.username
  if (url && bare && /^https?:$/.test(url.protocol)) return url.origin
  mistakes.push(`${name}: "${text}" is not an origin such as https://runbench.example.org`)
  return 'http://invalid'
}

/** The Host header that a browser sends to an origin. */
export function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : ''
}

/** Whether a Host header names this machine itself. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(host)
}
