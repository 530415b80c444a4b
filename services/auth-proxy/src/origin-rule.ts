import type { IncomingHttpHeaders } from 'node:http'
import { originRefused } from './problems.ts'
import { isLoopback, type Settings } from './settings.ts'

type Rules = Pick<Settings, 'origins' | 'production'>

/** Refuses a request that a page of another site may have caused; throws 403 with the reason.
 *
 * Sec-Fetch-Site is written by the browser alone, so `same-origin` suffices. Without it, or from
 * another origin, the Origin header has to be exactly one of the configured ones. A page of our own
 * host that the browser does not call same-origin is a forgery or a plain-http copy, and is refused.
 * On a developer's machine any port of localhost is an own origin as long as it is the one that was asked.
 */
export function requireOwnOrigin(headers: IncomingHttpHeaders, rules: Rules): void {
  const site = headers['sec-fetch-site']
  if (site === 'same-origin') return
  if (site !== undefined && site !== 'same-site' && site !== 'cross-site') {
    throw originRefused(
      'Sec-Fetch-Site has to be same-origin for a request that changes something.',
    )
  }
  const { origin, host = '' } = headers
  if (origin === undefined) {
    throw originRefused(
      'Neither Sec-Fetch-Site nor Origin says that the request comes from the portal.',
    )
  }
  const own = !rules.production && isLoopback(host) && origin === `http://${host}`
  if (!own && !rules.origins.includes(origin)) {
    throw originRefused('The Origin header is none of CORS_ORIGINS or PUBLIC_ORIGIN.')
  }
  if (site !== undefined && new URL(origin).host === host) {
    throw originRefused(
      'The Origin header is of this host, yet the browser calls the request cross-site.',
    )
  }
}
