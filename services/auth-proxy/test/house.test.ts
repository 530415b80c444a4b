import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Fastify from 'fastify'
import { caller } from '../src/plugins/caller.ts'
import { SAME_ORIGIN, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const root = join(import.meta.dirname, '../../..')

/** What anybody may call, and why: nobody has a session yet, or it is no secret. */
const OPEN = [
  'GET /api/docs',
  'GET /api/docs/*',
  'GET /api/openapi.json',
  'GET /health',
  'GET /metrics',
  'GET /ready',
  'POST /auth/login',
  'POST /auth/password-reset',
  'POST /auth/password-reset/confirm',
  'POST /auth/register',
]

test('every registered route but the listed ones refuses an anonymous caller', {
  skip,
}, async (t) => {
  const { ask, app, behind } = await startProxy(t)
  assert.ok(app.accessOf.size > 30)
  const open: string[] = []
  for (const route of app.accessOf.keys()) {
    const [method, url] = route.split(' ') as [string, string]
    const answer = await ask(url.replace('*', 'anything'), { method, headers: SAME_ORIGIN })
    const refused = answer.status === 405 || answer.text.includes('/problems/not-signed-in')
    if (!refused && method !== 'HEAD') open.push(route)
    if (method === 'HEAD' && !open.includes(`GET ${url}`)) assert.ok(answer.status >= 400, route)
  }
  // Signing out twice is no error, and tells nobody anything.
  assert.deepEqual(open.sort(), [...OPEN, 'POST /auth/logout'].sort())
  const asked = behind.seen.map(({ url }) => url.split('?', 1)[0] as string)
  const known = /^\/(health|api\/docs|api\/openapi|auth\/(login|register|password-reset))/
  assert.deepEqual(
    asked.filter((url) => !known.test(url)),
    [],
  )
})

test('a route that declares no access stops the service from starting', async () => {
  const app = Fastify()
  app.register(caller, {} as never)
  app.register(async (inner) => {
    inner.get('/forgotten', async () => 'open')
  })
  await assert.rejects(async () => await app.ready(), /GET \/forgotten declares no access/)
})

test('the libraries that had holes are at least as new as their repairs', () => {
  const floors: Record<string, string> = { fastify: '5.12.6', undici: '8.0.0' }
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  for (const [name, floor] of Object.entries(floors)) {
    const { version } = lock.packages[`node_modules/${name}`]
    const order = version.localeCompare(floor, undefined, { numeric: true })
    assert.ok(order >= 0, `${name} ${version} is older than ${floor}`)
  }
})

test('the README names every variable that has to be set in production', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  for (const name of [
    'PUBLIC_ORIGIN',
    'SESSION_SECRET',
    'TRUSTED_PROXIES',
    'AUTH_URL',
    'TARGET_EXPERIMENT_URL',
    'TELEMETRY_BROKER_URL',
  ]) {
    assert.ok(readme.includes(name), name)
  }
})
