import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProblem, startProxy } from './support/proxy.ts'
import { withoutValkey } from './support/valkey.ts'

test('signing in', { skip: withoutValkey }, async (t) => {
  const { signIn, ask, behind } = await startProxy(t)
  const browser = await signIn()
  const me = await browser.ask('/auth/me')
  console.log(me, browser.cookie, browser.csrf)
  const echo = await browser.ask('/%61pi/v1/projects?x=1', {
    headers: { x_user_id: 'u', 'X-User-Id': 'k' },
  })
  console.log(echo.status, echo.json(), echo.headers)
  const p = await browser.ask('/api/v1/projects', { method: 'POST', body: '{}' })
  console.log(p.status, p.text)
  console.log(await browser.ask('/auth/refresh', { method: 'POST' }))
  console.log(await browser.ask('/auth/logout', { method: 'POST' }))
  assertProblem(await browser.ask('/auth/me'), 401, 'not-signed-in')
  console.log((await ask('/ready')).text)
  console.log(await ask('/nothing'))
})
