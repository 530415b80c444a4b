import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { DEVELOPMENT_SECRET, Environment, readSettings, withSecrets } from '../src/settings.ts'

const folder = join(import.meta.dirname, '..')
const PRODUCTION = {
  RUNBENCH_ENV: 'production',
  PUBLIC_ORIGIN: 'https://runbench.example.org',
  SESSION_SECRET: 'f3Rk0mWq8ZtYb1Lx6Vn4Hs9Pj2Dc7Ga5',
}

test('.env.example names every variable, and its values are the defaults', () => {
  const example = parseEnv(readFileSync(join(folder, '.env.example'), 'utf8'))
  assert.deepEqual(Object.keys(example).sort(), Object.keys(Environment.entries).sort())
  assert.deepEqual(readSettings(example as NodeJS.ProcessEnv), readSettings({}))
})

test('development needs no variable', () => {
  const settings = readSettings({})
  assert.equal(settings.publicOrigin, 'http://localhost:3000')
  assert.equal(settings.secureCookie, false)
  assert.deepEqual(settings.secrets, [DEVELOPMENT_SECRET])
})

test('production with its own origin and secret starts, with a secure cookie', () => {
  const settings = readSettings({ ...PRODUCTION, CORS_ORIGINS: 'https://other.example.org, ' })
  assert.equal(settings.secureCookie, true)
  assert.deepEqual(settings.origins, ['https://runbench.example.org', 'https://other.example.org'])
  assert.ok(settings.hosts.has('runbench.example.org'))
})

test('what the environment leaves out comes from files of a folder of secrets', (t) => {
  const secrets = mkdtempSync(join(tmpdir(), 'secrets-'))
  t.after(() => rmSync(secrets, { recursive: true }))
  writeFileSync(join(secrets, 'session_secret'), `${PRODUCTION.SESSION_SECRET}\n`)
  writeFileSync(join(secrets, 'log_level'), 'error')
  const settings = readSettings(
    withSecrets({
      ...PRODUCTION,
      SESSION_SECRET: '',
      LOG_LEVEL: 'debug',
      RUNBENCH_SECRETS_DIR: secrets,
    }),
  )
  assert.deepEqual(settings.secrets, [PRODUCTION.SESSION_SECRET])
  assert.equal(settings.logLevel, 'debug')
})

test('a start that would be unsafe or impossible is refused with the variable and the way out', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ ...PRODUCTION, SESSION_SECRET: '' }, /SESSION_SECRET is the default/],
    [
      { ...PRODUCTION, SESSION_SECRET: 'a'.repeat(64) },
      /SESSION_SECRET is the default or guessable/,
    ],
    [
      { ...PRODUCTION, SESSION_SECRET: `${PRODUCTION.SESSION_SECRET},short` },
      /shorter than 32 bytes/,
    ],
    [{ ...PRODUCTION, PUBLIC_ORIGIN: '' }, /PUBLIC_ORIGIN is missing/],
    [{ ...PRODUCTION, PUBLIC_ORIGIN: 'http://runbench.example.org' }, /has to be https/],
    [{ SESSION_SECRET: 'short' }, /shorter than 32 bytes/],
    [{ RUNBENCH_ENV: 'prod' }, /RUNBENCH_ENV/],
    [{ PORT: '99999' }, /PORT is above 65535/],
    [{ PORT: 'http' }, /PORT is not a number/],
    [{ PORT: '80.5' }, /PORT is not a whole number/],
    [{ CORS_ORIGINS: '*' }, /CORS_ORIGINS: "\*" is not an origin/],
    [{ CORS_ORIGINS: 'https://*.example.org' }, /no pattern/],
    [{ CORS_ORIGINS: 'https://a.example.org/path' }, /is not an origin/],
    [{ AUTH_URL: 'auth:8001' }, /AUTH_URL: "auth:8001" is not an origin/],
    [{ TELEMETRY_BROKER_URL: 'amqp://x' }, /TELEMETRY_BROKER_URL/],
    [{ TELEMETRY_BROKER_URL: 'valkey+sentinel://x' }, /TELEMETRY_BROKER_URL has to begin/],
    [{ TELEMETRY_BROKER_URL: 'valkey+cluster://a,,b' }, /TELEMETRY_BROKER_URL has to name/],
    [{ TELEMETRY_BROKER_URL: 'redis+cluster://a:x' }, /TELEMETRY_BROKER_URL has to name/],
    [{ TELEMETRY_BROKER_URL: 'redis+cluster://a/1' }, /TELEMETRY_BROKER_URL cannot name/],
    [{ TRUSTED_PROXIES: 'true' }, /TRUSTED_PROXIES: "true" is not/],
    [{ TRUSTED_PROXIES: '1' }, /TRUSTED_PROXIES: "1" is not/],
    [{ TRUSTED_PROXIES: '0.0.0.0/0' }, /TRUSTED_PROXIES/],
    [{ TRUSTED_PROXIES: '10.0.0.0/33' }, /TRUSTED_PROXIES/],
    [{ LOG_FORMAT: 'xml' }, /LOG_FORMAT/],
  ]
  for (const [variables, message] of refused) {
    assert.throws(() => readSettings(variables), message, JSON.stringify(variables))
  }
})

test('all mistakes are named at once', () => {
  assert.throws(() => readSettings({ PORT: 'x', LOG_LEVEL: 'loud' }), /PORT[\s\S]*LOG_LEVEL/)
  assert.throws(
    () => readSettings({ AUTH_URL: 'x', SESSION_SECRET: 'y' }),
    /AUTH_URL[\s\S]*SESSION/,
  )
})
