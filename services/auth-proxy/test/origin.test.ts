import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProblem, JSON_BODY, PASSWORD, SAME_ORIGIN, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const OWN = 'https://runbench.example.org'
const FRIEND = 'https://tools.example.org'
const PRODUCTION = {
  RUNBENCH_ENV: 'production',
  PUBLIC_ORIGIN: OWN,
  CORS_ORIGINS: FRIEND,
  SESSION_SECRET: 'f3Rk0mWq8ZtYb1Lx6Vn4Hs9Pj2Dc7Ga5',
}
const host = 'runbench.example.org'
const CREDENTIALS = JSON.stringify({ email: 'ada@example.org', password: PASSWORD })

const FORGED: Record<string, string>[] = [
  {},
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'none', origin: OWN },
  { 'sec-fetch-site': 'Same-Origin' },
  { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  { 'sec-fetch-site': 'cross-site', origin: OWN },
  { 'sec-fetch-site': 'same-site', origin: OWN },
  { origin: 'null' },
  { origin: 'https://evil.example' },
  { origin: `${OWN}.evil.example` },
  { origin: 'https://evil-runbench.example.org' },
  { origin: 'https://sub.runbench.example.org' },
  { origin: `${OWN}:8443` },
  { origin: 'http://runbench.example.org' },
  { origin: `${OWN}/` },
  { origin: OWN.toUpperCase() },
  { origin: `${OWN}, https://evil.example` },
  { origin: '' },
  { referer: `${OWN}/p/demo` },
]
const OURS: Record<string, string>[] = [
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'same-origin', origin: OWN },
  { origin: OWN },
  { origin: FRIEND },
  { 'sec-fetch-site': 'same-site', origin: FRIEND },
]

test('a request that changes something is refused unless it comes from an own page', {
  skip,
}, async (t) => {
  const { ask, behind } = await startProxy(t, PRODUCTION)
  const login = (headers: Record<string, string>) =>
    ask('/auth/login', {
      method: 'POST',
      headers: { host, ...JSON_BODY, ...headers },
      body: CREDENTIALS,
    })
  for (const headers of FORGED) assertProblem(await login(headers), 403, 'origin-refused')
  assert.equal(behind.live.size, 0)
  for (const headers of OURS) assert.equal((await login(headers)).status, 200)
})

test('the rule holds for every unsafe method on every kind of route', { skip }, async (t) => {
  const { ask, behind } = await startProxy(t, PRODUCTION)
  const signedIn = await ask('/auth/login', {
    method: 'POST',
    headers: { host, ...JSON_BODY, ...SAME_ORIGIN },
    body: CREDENTIALS,
  })
  const cookie = String(signedIn.headers['set-cookie']).split(';', 1)[0] as string
  const csrf = { 'x-csrf-token': signedIn.json().csrf_token }
  const routes: [string, string][] = [
    ['POST', '/auth/register'],
    ['POST', '/auth/refresh'],
    ['POST', '/auth/logout'],
    ['POST', '/auth/logout-everywhere'],
    ['POST', '/auth/change-password'],
    ['POST', '/auth/password-reset'],
    ['PATCH', '/auth/me'],
    ['DELETE', '/auth/sessions/1'],
    ['POST', '/api/v1/projects'],
    ['PUT', '/api/v1/projects/1/members/2'],
    ['PATCH', '/api/v1/projects/1'],
    ['DELETE', '/api/v1/projects/1'],
    ['POST', '/%61pi/v1/projects'],
    ['POST', '/nothing'],
  ]
  const before = behind.seen.length
  for (const [method, path] of routes) {
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
    ]) {
      const answer = await ask(path, { method, headers: { host, cookie, ...csrf, ...headers } })
      assertProblem(answer, 403, 'origin-refused')
    }
  }
  assert.equal(behind.seen.length, before)
})

test('without the CSRF token of the session nothing changes, however the path is written', {
  skip,
}, async (t) => {
  const { signIn, behind } = await startProxy(t)
  const ada = await signIn('ada@example.org')
  const eve = await signIn('eve@example.org')
  const before = behind.seen.length
  for (const token of [
    '',
    'x',
    eve.csrf,
    `${ada.csrf}x`,
    ada.csrf.slice(1),
    `${ada.csrf},${ada.csrf}`,
  ]) {
    const headers = { 'x-csrf-token': token }
    for (const path of [
      '/api/v1/projects',
      '/%61pi/v1/projects',
      '/api/v1%2Dx',
      '/auth/change-password',
    ]) {
      const answer = await ada.ask(path, { method: 'POST', headers, body: '{}' })
      assertProblem(answer, 403, 'csrf-token-invalid')
    }
  }
  assert.equal(behind.seen.length, before)
})

test('the CSRF token of a session that was signed out is of no use to the next one', {
  skip,
}, async (t) => {
  const { signIn } = await startProxy(t)
  const former = await signIn()
  await former.ask('/auth/logout', { method: 'POST' })
  const next = await signIn()
  const headers = { 'x-csrf-token': former.csrf }
  assertProblem(
    await next.ask('/api/v1/x', { method: 'DELETE', headers }),
    403,
    'csrf-token-invalid',
  )
})

test('a CSRF token in a cookie or in the address counts for nothing', { skip }, async (t) => {
  const { ask, signIn } = await startProxy(t)
  const ada = await signIn()
  const headers = {
    ...SAME_ORIGIN,
    cookie: `${ada.cookie}; csrf_token=${ada.csrf}; X-CSRF-Token=${ada.csrf}`,
  }
  const path = `/api/v1/projects?csrf_token=${ada.csrf}`
  assertProblem(await ask(path, { method: 'POST', headers }), 403, 'csrf-token-invalid')
})

test('reading needs no CSRF token and no origin', { skip }, async (t) => {
  const { ask, signIn } = await startProxy(t)
  const { cookie } = await signIn()
  assert.equal((await ask('/api/v1/projects', { headers: { cookie } })).status, 200)
  assert.equal((await ask('/auth/me', { method: 'HEAD', headers: { cookie } })).status, 200)
})

test('a browser session sends JSON and nothing that a form could send', { skip }, async (t) => {
  const { ask, signIn } = await startProxy(t)
  const ada = await signIn()
  const refused = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/json',
    'text/plain; application/json',
    'application/json; charset=utf-16',
    'application/json; boundary=x',
    'nonsense',
  ]
  for (const type of refused) {
    const headers = { 'content-type': type }
    const answer = await ada.ask('/api/v1/projects', { method: 'POST', body: '{}', headers })
    assertProblem(answer, 415, 'media-type-unsupported')
    const login = { method: 'POST', headers: { ...SAME_ORIGIN, ...headers }, body: CREDENTIALS }
    assertProblem(await ask('/auth/login', login), 415, 'media-type-unsupported')
  }
  for (const type of [
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/merge-patch+json',
  ]) {
    const headers = { 'content-type': type }
    const answer = await ada.ask('/api/v1/projects', { method: 'PATCH', body: '{}', headers })
    assert.equal(answer.status, 200, type)
  }
  assert.equal((await ada.ask('/api/v1/runs/1/archive', { method: 'POST' })).status, 200)
})

test('no state changes by GET or HEAD, and no header or parameter overrides the method', {
  skip,
}, async (t) => {
  const { signIn, behind } = await startProxy(t)
  const ada = await signIn()
  const posts = [
    'register',
    'login',
    'refresh',
    'logout',
    'logout-everywhere',
    'change-password',
    'password-reset',
  ]
  for (const name of posts) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ada.ask(`/auth/${name}?_method=POST`, {
        method,
        headers: { 'x-http-method-override': 'POST', 'x-method-override': 'POST' },
      })
      assert.equal(answer.status, 405, `${method} ${name}`)
      assert.equal(answer.headers.allow, 'POST')
    }
  }
  const answer = await ada.ask('/api/v1/projects/1?_method=DELETE', {
    headers: { 'x-http-method-override': 'DELETE' },
  })
  assert.equal(answer.json().method, 'GET')
  assert.equal(answer.json().headers['x-http-method-override'], undefined)
  assert.equal((await ada.ask('/auth/me')).status, 200)
  assert.equal(behind.live.size, 1)
  assertProblem(await ada.ask('/auth/login', { method: 'DELETE' }), 405, 'method-not-allowed')
  assertProblem(await ada.ask('/api/v1/projects', { method: 'TRACE' }), 405, 'method-not-allowed')
})

test('pages of exactly the configured origins may read answers', { skip }, async (t) => {
  const { ask } = await startProxy(t, PRODUCTION)
  for (const origin of [OWN, FRIEND]) {
    const answer = await ask('/auth/me', { headers: { host, origin } })
    assert.equal(answer.headers['access-control-allow-origin'], origin)
    assert.equal(answer.headers['access-control-allow-credentials'], 'true')
    assert.match(String(answer.headers.vary), /Origin/)
    const preflight = await ask('/api/v1/projects', {
      method: 'OPTIONS',
      headers: {
        host,
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-csrf-token, content-type',
      },
    })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers['access-control-allow-origin'], origin)
    assert.match(String(preflight.headers['access-control-allow-headers']), /X-CSRF-Token/i)
  }
  for (const { origin } of FORGED) {
    if (!origin || origin === OWN) continue
    for (const method of ['GET', 'OPTIONS']) {
      const asked = { 'access-control-request-method': 'POST' }
      const answer = await ask('/auth/me', { method, headers: { host, origin, ...asked } })
      assert.equal(answer.headers['access-control-allow-origin'], undefined, origin)
    }
  }
})

test('an origin on another port of localhost is foreign unless it is the one that was asked', {
  skip,
}, async (t) => {
  const { ask, host } = await startProxy(t)
  const login = (origin: string) =>
    ask('/auth/login', { method: 'POST', headers: { ...JSON_BODY, origin }, body: CREDENTIALS })
  assert.equal((await login(`http://${host}`)).status, 200)
  assert.equal((await login('http://localhost:3000')).status, 200)
  assertProblem(await login('http://localhost:9999'), 403, 'origin-refused')
})

test('no parameter makes this server send anybody anywhere', { skip }, async (t) => {
  const { ask, signIn } = await startProxy(t)
  const ada = await signIn()
  const targets = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/%2F/evil.example',
    'https:evil.example',
    'javascript:alert(1)',
    '\\\\evil.example',
    '/\t/evil.example',
    'http://evil.example@runbench.example.org',
    '/./\\evil.example',
  ]
  for (const target of targets) {
    for (const name of ['next', 'rd', 'redirect', 'redirect_uri', 'return_to', 'url']) {
      const query = `?${name}=${encodeURIComponent(target)}`
      for (const path of ['/', '/auth/me', '/auth/logout', '/api/v1/projects', '/health']) {
        const answer = await (path === '/' ? ask : ada.ask)(path + query)
        assert.equal(answer.headers.location, undefined)
        assert.ok(answer.status < 300 || answer.status >= 400)
      }
    }
  }
})
